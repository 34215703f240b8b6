// What every command gets: the state root, and where errors are told.
import { appendFileSync, closeSync, openSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LapError } from "@lapstrake/base";
import { type Parsed, isOn, value } from "./flags.ts";

/** Global options. */
export interface RuntimeContext {
  readonly root: string;
  readonly log: string | undefined;
  readonly logFormat: string;
  readonly debug: boolean;
}

function defaultRoot(): string {
  const runDir = process.env["XDG_RUNTIME_DIR"];
  const uid = process.geteuid?.() ?? 0;
  if (uid === 0) return "/run/lap-runtime";
  return runDir === undefined ? join(tmpdir(), `lap-runtime-${uid}`) : join(runDir, "lap-runtime");
}

/** Reads the global flags. */
export function contextOf(flags: Parsed): RuntimeContext {
  const logFormat = value(flags, "log-format") ?? "text";
  if (logFormat !== "text" && logFormat !== "json")
    throw new LapError("invalidArgument", "ERR_LAP_USAGE", `invalid log-format: "${logFormat}"`, {
      hint: "use text or json",
    });
  // crun's way of naming it.
  const log = value(flags, "log")?.replace(/^file:/, "");
  if (log !== undefined) closeSync(openSync(log, "a"));
  return { root: value(flags, "root") ?? defaultRoot(), log, logFormat, debug: isOn(flags, "debug") };
}

function logLine(context: RuntimeContext, level: string, message: string): string {
  const time = new Date().toISOString();
  if (context.logFormat === "json") return `${JSON.stringify({ level, msg: message, time })}\n`;
  return `time="${time}" level=${level} msg=${JSON.stringify(message)}\n`;
}

/** Tells an error: in the log file when there is one (engines show its last line), and always on stderr. */
export function tellError(context: RuntimeContext, message: string): void {
  if (context.log !== undefined) appendFileSync(context.log, logLine(context, "error", message));
  process.stderr.write(
    context.logFormat === "json" && context.log === undefined
      ? logLine(context, "error", message)
      : `lap-runtime: ${message}\n`,
  );
}

/** Tells a warning: in the log file, else on stderr with --debug; engines show stderr as if it were the error. */
export function tellWarning(context: RuntimeContext, message: string): void {
  if (context.log !== undefined) appendFileSync(context.log, logLine(context, "warning", message));
  else if (context.debug) process.stderr.write(`lap-runtime: warning: ${message}\n`);
}

/** With --debug, in runc's form, which its clients' tests read: in the log file, else on stderr. */
export function tellDebug(context: RuntimeContext, message: string): void {
  if (!context.debug) return;
  const line = logLine(context, "debug", message);
  if (context.log === undefined) process.stderr.write(line);
  else appendFileSync(context.log, line);
}
