// `lap mount --union`: folders of the machine as one, the first on top and writable, as the introductory texts on union mounts show it.
import { mkdirSync, realpathSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { LapError, errorCode } from "@lapstrake/base";
import { mountUnion, unmountUnion } from "@lapstrake/core";

const WORK_SUFFIX = ".lap-work";

interface Branch {
  readonly path: string;
  readonly writable: boolean;
}

/** Mounts `FOLDER[=rw|ro]:FOLDER…` on `target`; only the first may be writable, and is unless told. Throws `ERR_LAP_UNION`. */
export function mountFolders(branches: string, target: string): void {
  const [top, ...lower] = branches.split(":").map(parseBranch);
  if (lower.length === 0) throw unionError("a union needs two folders at least", "name them with colons: TOP:BELOW");
  if (lower.some(({ writable }) => writable)) throw unionError("only the first folder of a union can be writable");
  const place = folder(target);
  const lowerdirs = lower.map(({ path }) => path);
  if (!top!.writable) {
    mountUnion({ lowerdirs: [top!.path, ...lowerdirs] }, place);
    return;
  }
  const workdir = workFor(top!.path);
  makeWork(workdir, top!.path);
  try {
    mountUnion({ upperdir: top!.path, workdir, lowerdirs }, place);
  } catch (error) {
    rmSync(workdir, { recursive: true, force: true });
    throw error;
  }
}

/** Takes a union away again. Throws `ERR_LAP_UNION` for another mount, EBUSY while it is used. */
export function unmountFolders(target: string): void {
  const workdir = unmountUnion(folder(target));
  if (workdir === undefined) throw unionError(`"${target}" is no union of ours`, "for other mounts there is umount(8)");
  if (workdir.endsWith(WORK_SUFFIX)) rmSync(workdir, { recursive: true, force: true });
}

function parseBranch(text: string, index: number): Branch {
  const [, path = "", mode] = /^(.*?)(?:=(rw|ro))?$/s.exec(text) ?? [];
  if (/=[a-z+]+$/.test(path)) throw unionError(`invalid mode in "${text}"`, "a folder is followed by =rw or =ro");
  return { path: folder(path), writable: mode === undefined ? index === 0 : mode === "rw" };
}

/** One union at a time writes to a folder. */
function makeWork(workdir: string, top: string): void {
  try {
    mkdirSync(workdir, { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
    throw unionError(`"${top}" is the top of a union already`, `if no union is mounted, remove "${workdir}"`);
  }
}

/** Beside the folder, for the kernel wants it on the same filesystem. */
function workFor(top: string): string {
  return join(dirname(top), `.${basename(top)}${WORK_SUFFIX}`);
}

function folder(path: string): string {
  try {
    if (statSync(path).isDirectory()) return realpathSync(path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    throw unionError(`no such folder: "${path}"`);
  }
  throw unionError(`"${path}" is not a folder`);
}

function unionError(message: string, hint?: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_UNION", message, hint === undefined ? {} : { hint });
}
