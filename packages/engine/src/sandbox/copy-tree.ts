// Copying a tree by cp(1) of GNU coreutils: by reflink where the filesystem can (FICLONE), with holes, hard links, devices, owners,
// attributes and whiteouts. No link is followed. cp goes by paths, so what is nested deeper than one can name is refused.
import { execFile, execFileSync } from "node:child_process";
import { promisify } from "node:util";
import { LapError, errorCode } from "@lapstrake/base";

const run = promisify(execFile);

const COPY = ["-a", "--reflink=auto", "--sparse=auto", "--remove-destination", "-T", "--"];
const TIMEOUT_MS = 600_000;
/** What cp says of ENAMETOOLONG in the language C; its whole text names a path of 4096 bytes. */
const TOO_DEEP = "File name too long";

const environment = (): NodeJS.ProcessEnv => ({ ...process.env, LC_ALL: "C" });

/** Copies a tree onto another, which need not be there. Throws `ERR_LAP_COPY_TREE`. */
export function copyTree(from: string, to: string): void {
  try {
    const stdio = ["ignore", "ignore", "pipe"] as const;
    execFileSync("cp", [...COPY, from, to], { stdio: [...stdio], timeout: TIMEOUT_MS, env: environment() });
  } catch (cause) {
    throw copyError(cause, "the storage driver vfs needs room for a whole image for each container");
  }
}

/** {@link copyTree} beside other work; `hint` says what helps. Throws what `signal` aborts with too. */
export async function copyTreeAside(from: string, to: string, hint: string, signal?: AbortSignal): Promise<void> {
  try {
    await run("cp", [...COPY, from, to], { signal, env: environment() });
  } catch (cause) {
    signal?.throwIfAborted();
    throw copyError(cause, hint);
  }
}

function copyError(cause: unknown, hint: string): LapError {
  const said = String((cause as { stderr?: unknown }).stderr).trim();
  const isMissing = errorCode(cause) === "ENOENT";
  const why = said.includes(TOO_DEEP) ? "there are files nested deeper than a path can name" : `cp: ${said}`;
  return new LapError(
    "failedPrecondition",
    "ERR_LAP_COPY_TREE",
    isMissing ? "cannot copy files: cp is not installed" : `cannot copy files: ${why}`,
    { hint: isMissing ? "install cp of GNU coreutils" : hint, cause },
  );
}
