// What another runtime says when it cannot make a container or a process: the last error in its JSON log, sorted by text as docker
// does (moby daemon/errors.go "translateContainerdStartErr"), because runtimes have no codes.
import { LapError } from "@lapstrake/base";
import { readStored } from "../state/read-stored.ts";

const NOT_FOUND = /executable file .*not found|no such file or directory/i;
const NOT_ALLOWED = /permission denied|is a directory|not a directory/i;
/** runc's own words before those that name the program. */
const PROGRAM = /(exec: ".*)$/s;

/** The error of a launch, its `detail.foreign` set when the words are not runc's: `ERR_LAP_EXEC_NOT_FOUND`, `ERR_LAP_EXEC_PERMISSION` or `ERR_LAP_RUNTIME_FAILED`; `error` itself when the runtime said nothing. */
export function runtimeError(error: unknown, log: string, verb: "create" | "exec"): unknown {
  const text = lastError(log);
  if (text === undefined) return error;
  const program = PROGRAM.exec(text)?.[1];
  const options = { cause: error, ...(program === undefined ? { detail: { foreign: true } } : {}) };
  if (NOT_FOUND.test(text)) return new LapError("notFound", "ERR_LAP_EXEC_NOT_FOUND", program ?? text, options);
  if (NOT_ALLOWED.test(text))
    return new LapError("permissionDenied", "ERR_LAP_EXEC_PERMISSION", program ?? text, options);
  return new LapError("internal", "ERR_LAP_RUNTIME_FAILED", `OCI runtime ${verb} failed: ${text}`, { cause: error });
}

function lastError(log: string): string | undefined {
  return (readStored(log) ?? "")
    .split("\n")
    .flatMap((line) => {
      const entry = parseLine(line);
      return entry?.["level"] === "error" && typeof entry["msg"] === "string" ? [entry["msg"]] : [];
    })
    .at(-1);
}

/** An entry of the log; undefined for a line that is none. */
function parseLine(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch {
    // A runtime may write more than it promises.
    return undefined;
  }
}

/** True for an object of any kind. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
