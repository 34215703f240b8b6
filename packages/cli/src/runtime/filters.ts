// Compiled seccomp filters in the state root: engines bring the same profile with every container, and compiling it is the
// dearest part of a short command. A file holds the whole text it was compiled from, so a name may be shared by accident.
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FilterShelf } from "@lapstrake/core";
import { VERSION } from "../version.ts";

/** No id of a container: those have no "@". */
const FOLDER = "filters@";
/** Raised when the compiler makes other filters of the same profile. */
const COMPILER = 1;
const MAX_FILES = 64;
const SAMPLE_EVERY = 31;

interface Header {
  readonly made: string;
  readonly textBytes: number;
  readonly flags: number;
  readonly listener: boolean;
  readonly warnings: readonly string[];
}

const MADE = `${VERSION} ${COMPILER}`;

// A hash of the whole would cost more than it saves: node:crypto takes 4 ms to load.
function nameOf(text: string): string {
  let sum = text.length;
  for (let at = 0; at < text.length; at += SAMPLE_EVERY) sum = (Math.imul(sum, 31) + text.charCodeAt(at)) >>> 0;
  return `${text.length}-${sum.toString(16)}`;
}

function read(path: string, text: string): ReturnType<FilterShelf["find"]> {
  let file: Buffer;
  try {
    file = readFileSync(path);
  } catch {
    return undefined; // The first time, or nobody may read it.
  }
  const end = file.indexOf(10);
  try {
    const header = JSON.parse(file.toString("utf8", 0, end)) as Header;
    const program = end + 1 + header.textBytes;
    if (header.made !== MADE || file.toString("utf8", end + 1, program) !== text) return undefined;
    const { flags, listener, warnings } = header;
    return { program: new Uint8Array(file.subarray(program)), flags, listener, warnings };
  } catch {
    return undefined; // Something else in its place; the next write mends it.
  }
}

// By tmp and rename: another command may read meanwhile.
function write(folder: string, name: string, content: Buffer): void {
  const path = join(folder, name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (readdirSync(folder).length >= MAX_FILES) return;
  writeFileSync(`${path}.${process.pid}`, content, { mode: 0o600 });
  renameSync(`${path}.${process.pid}`, path);
}

/** The filters kept in `root`; a root that cannot be written keeps none. */
export function filtersOf(root: string): FilterShelf {
  const folder = join(root, FOLDER);
  return {
    find: (text) => read(join(folder, nameOf(text)), text),
    keep(text, { program, flags, listener, warnings }) {
      const header: Header = { made: MADE, textBytes: Buffer.byteLength(text), flags, listener, warnings };
      try {
        write(folder, nameOf(text), Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n${text}`), program]));
      } catch {
        // No room, or not ours to write: only the next start is no faster.
      }
    },
  };
}
