// Errors as docker prints them, because scripts read them: one table from codes to texts and exit codes.
import { LapError, errorCode, type SystemError } from "@lapstrake/base";
import { usageLine } from "./args/help.ts";
import type { Command, UsageError } from "./args/types.ts";
import { BROKEN_PIPE, OutputClosed, err } from "./output/print.ts";

/** Exit codes of a program that could not be started, as docker's run tells them apart. */
const EXEC_EXIT: Readonly<Record<string, number>> = { ERR_LAP_EXEC_NOT_FOUND: 127, ERR_LAP_EXEC_PERMISSION: 126 };

/** Exit codes that do not depend on the command. */
const OWN_EXIT: Readonly<Record<string, number>> = {
  ERR_LAP_NOT_A_TTY: 1,
  ERR_LAP_ATTACH_DETACHED: 1,
  ERR_LAP_TEMPLATE_TEXT: 64,
  ERR_LAP_INTERRUPTED: 130,
};

/** Errors of the client in docker: printed without `Error response from daemon:`. */
const CLIENT_SIDE = new Set([
  "ERR_LAP_REFERENCE_INVALID",
  "ERR_LAP_FILE",
  "ERR_LAP_ARCHIVE_INVALID",
  "ERR_LAP_COPY",
  "ERR_LAP_GLOBAL_FLAG",
  "ERR_LAP_ATTACH_DETACHED",
  "ERR_LAP_NOT_A_TTY",
  "ERR_LAP_NOT_TEXT",
  "ERR_LAP_CONFLICTING_OPTIONS",
  "ERR_LAP_TERMINAL_OUTPUT",
  "ERR_LAP_FLAG_VALUE",
  "ERR_LAP_PORT_SPEC",
  "ERR_LAP_SECURITY_OPT",
  "ERR_LAP_SUBNET",
  "ERR_LAP_INTERRUPTED",
  "ERR_LAP_TEMPLATE",
  "ERR_LAP_TEMPLATE_TEXT",
  "ERR_LAP_NO_DAEMON",
  "ERR_LAP_LOGIN",
  "ERR_LAP_PUSH_REFUSED",
  "ERR_LAP_NOT_SUPPORTED",
]);

/** What docker puts before the text of a failed start. */
const SHIM_FAILED = "failed to create shim task: OCI runtime create failed: ";
const CREATE_FAILED = `${SHIM_FAILED}runc create failed: unable to start container process: `;

/** Prints an engine error and gives the exit code. `command` undefined is an error before dispatch. */
export function reportError(error: unknown, command: Command | undefined): number {
  if (error instanceof OutputClosed) return BROKEN_PIPE;
  // Docker looks at the terminal before it does anything that could fail in its daemon's name.
  const own = error instanceof LapError ? OWN_EXIT[error.code] : undefined;
  // Its create does not add its name to what the daemon says, as its run does.
  const isDaemons =
    command?.name.endsWith("create") === true && !(error instanceof LapError && CLIENT_SIDE.has(error.code));
  const starts = command?.errorExitCode === 125 && own === undefined && !isDaemons;
  err(`${starts ? "lap: " : ""}${errorText(error)}\n`);
  const hint = error instanceof LapError ? error.hint : undefined;
  if (hint !== undefined && showsHints()) err(`hint: ${hint}\n`);
  if (starts) err(`\nRun 'lap ${command!.name} --help' for more information\n`);
  if (process.env["LAP_TRACE"] === "1" && error instanceof Error) err(`${error.stack}\n`);
  const code = error instanceof LapError ? EXEC_EXIT[error.code] : undefined;
  if (starts) return code ?? 125;
  return own ?? (isDaemons ? 1 : (command?.errorExitCode ?? 1));
}

/** Hints are for people: what scripts compare is docker's text alone. `LAP_HINTS=1` shows them in a pipe too. */
function showsHints(): boolean {
  return process.stderr.isTTY || process.env["LAP_HINTS"] === "1";
}

/** One line for an error of the engine. */
export function errorText(error: unknown): string {
  if (error instanceof LapError) {
    if (CLIENT_SIDE.has(error.code)) return error.message;
    const isExec = EXEC_EXIT[error.code] !== undefined;
    // Another runtime than runc has words of its own.
    const before = error.detail?.["foreign"] === true ? SHIM_FAILED : CREATE_FAILED;
    return `Error response from daemon: ${isExec ? `${before}${error.message}: unknown` : error.message}`;
  }
  const code = errorCode(error);
  if (code !== undefined && error instanceof Error && "syscall" in error) return systemErrorText(error as SystemError);
  return `internal error: ${error instanceof Error ? error.message : String(error)} (set LAP_TRACE=1 for the stack)`;
}

const ERRNO_TEXT: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  ENOSPC: "no space left on device",
  EISDIR: "is a directory",
  ENOTDIR: "not a directory",
  EROFS: "read-only file system",
  EDQUOT: "disk quota exceeded",
  EMFILE: "too many open files",
};

function systemErrorText(error: SystemError): string {
  const text = ERRNO_TEXT[error.code] ?? error.code;
  return error.path === undefined ? `${error.syscall}: ${text}` : `${error.syscall} ${error.path}: ${text}`;
}

/** Prints a mistake in the command line with the usage. */
export function reportUsage(error: UsageError, command: Command): number {
  err(
    `${error.isPrefixed ? "lap: " : ""}${error.message}\n\n${usageLine(command)}\n\n${error.pointer} 'lap ${command.name} --help' for more information\n`,
  );
  return error.exitCode;
}
