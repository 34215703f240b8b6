// `export` and `save`: a tar stream to the file that was named, or to whatever reads our output.
import { lstatSync, statSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { LapError, errorCode } from "@lapstrake/base";
import { abortable } from "./abortable.ts";
import { interruptible } from "./progress.ts";
import { outBytes } from "./print.ts";
import { writeWhole } from "./whole-file.ts";

/**
 * Asked before the archive is made. Throws `ERR_LAP_TERMINAL_OUTPUT` when it would go to a terminal, `ERR_LAP_FILE` when the file that
 * was named is none: a rename would put ours in its place (a device!). `failure` is what docker puts before the reason.
 */
export function checkOutput(file: string | undefined, failure: string): void {
  if (file !== undefined) {
    const why = isDirectory(dirname(file)) ?? notWritable(file);
    if (why !== undefined) throw new LapError("invalidArgument", "ERR_LAP_FILE", `${failure}: ${why}`);
  } else if (process.stdout.isTTY) {
    const text = "cowardly refusing to save to a terminal. Use the -o flag or redirect";
    throw new LapError("invalidArgument", "ERR_LAP_TERMINAL_OUTPUT", text);
  }
}

function isDirectory(folder: string): string | undefined {
  const why = { ENOENT: "no such file or directory", ENOTDIR: "not a directory", EACCES: "permission denied" };
  try {
    return statSync(folder).isDirectory() ? undefined : `invalid output path: stat ${folder}: ${why.ENOTDIR}`;
  } catch (error) {
    const code = errorCode(error) ?? "";
    return `invalid output path: stat ${folder}: ${(why as Record<string, string>)[code] ?? code}`;
  }
}

const KINDS: readonly (readonly [keyof Stats & `is${string}`, string])[] = [
  ["isDirectory", "a directory"],
  ["isSymbolicLink", "a symbolic link directly"],
  ["isFIFO", "a named pipe (FIFO)"],
  ["isSocket", "a socket"],
  ["isCharacterDevice", "a character device file"],
  ["isBlockDevice", "a block device file"],
];

function notWritable(file: string): string | undefined {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  const kind = stat === undefined ? undefined : KINDS.find(([is]) => stat[is]());
  return kind === undefined ? undefined : `cannot write to ${kind[1]}`;
}

/** Writes the archive; a named file appears whole. */
export async function writeArchive(file: string | undefined, tar: AsyncIterable<Uint8Array>): Promise<void> {
  if (file === undefined) {
    for await (const chunk of tar) outBytes(chunk);
    return;
  }
  using interrupt = interruptible();
  await writeWhole(file, abortable(tar, interrupt.signal));
}
