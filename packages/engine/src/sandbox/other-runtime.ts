// `--runtime`: which OCI runtime makes a Linux container when it is not our own. Known ones are found by name along PATH, any other one is
// named by its absolute path; the rest of the way is in other-runtime-start.ts. Loaded only by who names one.
import { LapError } from "@lapstrake/base";
import { findProgram, isProgram } from "../find-program.ts";
import type { OtherRuntime } from "../state/record.ts";
import { isRootless } from "./rootless.ts";

/** Names of our own runtime. */
const OWN_RUNTIMES: readonly string[] = ["", "lapstrake", "lap", "lap-runtime"];
/** Runtimes that answer to runc's command line. */
const KNOWN_RUNTIMES: readonly string[] = ["runc", "crun", "youki"];
/** The name that docker's own default has for containerd: the shim that runs runc. */
const SHIM = /^io\.containerd\.(runc)\.v[12]$/;
/** Where administrators' programs are, whatever the caller's PATH is. */
const SYSTEM_FOLDERS: readonly string[] = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin"];

/** The runtime of that name; undefined for our own. Throws `ERR_LAP_RUNTIME`. */
export function findRuntime(asked: string): OtherRuntime | undefined {
  if (OWN_RUNTIMES.includes(asked)) return undefined;
  if (isRootless()) {
    throw new LapError("failedPrecondition", "ERR_LAP_RUNTIME", `the runtime "${asked}" needs root`, {
      hint: "leave --runtime away: our own runs containers without root",
    });
  }
  if (asked.startsWith("/")) return { name: asked, path: requireProgram(asked) };
  const program = SHIM.exec(asked)?.[1] ?? asked;
  if (!KNOWN_RUNTIMES.includes(program)) throw unknownRuntime(asked);
  const path = onPath(program);
  if (path !== undefined) return { name: asked, path };
  throw new LapError("notFound", "ERR_LAP_RUNTIME", `the runtime "${asked}" is not installed: no ${program} on PATH`, {
    hint: "install it, name it by its absolute path, or leave --runtime away for our own",
  });
}

/** The known runtimes that are installed, with their paths. */
export function installedRuntimes(): OtherRuntime[] {
  return KNOWN_RUNTIMES.flatMap((name) => {
    const path = onPath(name);
    return path === undefined ? [] : [{ name, path }];
  });
}

function unknownRuntime(asked: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_RUNTIME", `unknown or invalid runtime name: ${asked}`, {
    hint: `runtimes are lapstrake (the default), wasm, ${KNOWN_RUNTIMES.join(", ")}, and the absolute path of a program with runc's command line`,
  });
}

function onPath(program: string): string | undefined {
  return findProgram(program, undefined, SYSTEM_FOLDERS);
}

function requireProgram(path: string): string {
  if (isProgram(path)) return path;
  throw new LapError("notFound", "ERR_LAP_RUNTIME", `the runtime "${path}" is not a program that can be run`);
}
