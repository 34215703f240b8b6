// Waiting until a box is ready: a line in its log, an open port, an answer over HTTP, its health check, a program of one's own, or its
// end. A box that ends before it is ready is not waited for any longer.
import { LapError, errorCode } from "@lapstrake/base";
import { linked } from "../abort.ts";
import type { Box } from "../types.ts";
import { answersHttp } from "./http.ts";
import { hasLine } from "./log-line.ts";
import { poll } from "./poll.ts";

interface Bounded {
  /** Default 60 s. */
  readonly timeoutMs?: number;
}

/** What to wait for; a list is all of it at once. */
export type WaitFor =
  /** A log line that contains the text or matches, `times` times (default once). */
  | (Bounded & { readonly log: string | RegExp; readonly times?: number })
  /** Something accepts connections at a port inside. */
  | (Bounded & { readonly port: number })
  /** A GET of this path is answered with `status` (default any below 400). */
  | (Bounded & { readonly http: string; readonly port: number; readonly status?: number })
  | (Bounded & { readonly healthy: true })
  /** A program in the box exits 0. */
  | (Bounded & { readonly exec: readonly string[] })
  /** The box has ended, with this exit code. */
  | (Bounded & { readonly exit: number })
  | readonly WaitFor[];

/** How a box is. */
export interface BoxHealth {
  readonly status: string;
  readonly output?: string;
}

/** What a box offers to those who wait for it, besides the public calls. */
export interface Awaited extends Box {
  /** docker's word for its health and what its last check said; undefined without a health check. */
  health(): Promise<BoxHealth | undefined>;
}

const TIMEOUT_MS = 60_000;
const LAST_BYTES = 512;

/** Is told what there was instead, each time. */
type Saw = (what: string) => void;

/** Resolves when it holds. Throws `ERR_LAP_WAIT_TIMEOUT`, `ERR_LAP_WAIT_ENDED`, `ERR_LAP_WAIT_EXIT`. */
export async function waitFor(box: Awaited, what: WaitFor, signal?: AbortSignal): Promise<void> {
  if (isList(what)) {
    await Promise.all(what.map((each) => waitFor(box, each, signal)));
    return;
  }
  const timeoutMs = what.timeoutMs ?? TIMEOUT_MS;
  let last = "";
  const saw = (seen: string): void => void (last = seen);
  using scope = linked(signal, timeoutMs);
  try {
    if ("exit" in what) await exitOf(box, what.exit, scope.signal);
    else await Promise.race([ready(box, what, scope.signal, saw), ended(box, what, scope.signal)]);
  } catch (error) {
    signal?.throwIfAborted();
    if (scope.timedOut) throw await tooSlow(box, what, timeoutMs, last);
    throw error;
  } finally {
    scope.abort();
  }
}

type One = Exclude<WaitFor, readonly WaitFor[]>;

function isList(what: WaitFor): what is readonly WaitFor[] {
  return Array.isArray(what);
}

async function ready(
  box: Awaited,
  what: Exclude<One, { readonly exit: number }>,
  signal: AbortSignal,
  saw: Saw,
): Promise<void> {
  if ("log" in what) await hasLine(box, what.log, what.times ?? 1, signal);
  else if ("http" in what) await poll(() => answersHttp(box, what, signal, saw), signal);
  else if ("port" in what) await poll(() => accepts(box, what.port, saw), signal);
  else if ("exec" in what) await poll(() => succeeds(box, what.exec, signal, saw), signal);
  else await poll(() => isHealthy(box, saw), signal);
}

async function accepts(box: Box, port: number, saw: Saw): Promise<boolean> {
  try {
    (await box.connect(port)).destroy();
    return true;
  } catch (error) {
    // Not yet is the answer.
    saw(errorCode(error) ?? String(error));
    return false;
  }
}

async function succeeds(box: Box, args: readonly string[], signal: AbortSignal, saw: Saw): Promise<boolean> {
  const { ok, exitCode, stdout, stderr } = await box.exec(args, { signal });
  const said = (stderr.trim() || stdout.trim()).slice(-LAST_BYTES);
  saw(`exit code ${exitCode}${said === "" ? "" : `: ${said}`}`);
  return ok;
}

async function isHealthy(box: Awaited, saw: Saw): Promise<boolean> {
  const health = await box.health();
  if (health !== undefined) {
    const said = health.output?.trim() ?? "";
    saw(`"${health.status}"${said === "" ? "" : `: ${said}`}`);
    return health.status === "healthy";
  }
  throw new LapError("failedPrecondition", "ERR_LAP_NO_HEALTH", `the box ${box.name} has no health check`, {
    hint: "wait for a log line, a port, http or a program instead",
  });
}

async function exitOf(box: Box, wanted: number, signal: AbortSignal): Promise<void> {
  const { exitCode } = await box.wait({ signal });
  if (exitCode === wanted) return;
  const detail = { exitCode };
  const message = `the box ${box.name} exited with code ${exitCode}, not ${wanted}${await lastWords(box)}`;
  throw new LapError("failedPrecondition", "ERR_LAP_WAIT_EXIT", message, { detail });
}

/** Rejects when the box ends; never resolves. */
async function ended(box: Box, what: One, signal: AbortSignal): Promise<never> {
  const { exitCode } = await box.wait({ signal });
  const message = `the box ${box.name} exited with code ${exitCode} before ${describe(what)}${await lastWords(box)}`;
  throw new LapError("failedPrecondition", "ERR_LAP_WAIT_ENDED", message, { detail: { exitCode } });
}

async function tooSlow(box: Box, what: One, timeoutMs: number, last: string): Promise<LapError> {
  const seen = last === "" ? "" : `; last there was ${last}`;
  const missed = `the box ${box.name} did not get to ${describe(what)} within ${timeoutMs} ms`;
  const message = `${missed}${seen}${await lastWords(box)}`;
  return new LapError("deadlineExceeded", "ERR_LAP_WAIT_TIMEOUT", message, { hint: "raise timeoutMs" });
}

function describe(what: One): string {
  if ("log" in what) return `the log line ${String(what.log)}`;
  if ("http" in what) return `an answer at http://:${what.port}${what.http}`;
  if ("port" in what) return `listening at port ${what.port}`;
  if ("exec" in what) return `"${what.exec.join(" ")}"`;
  return "exit" in what ? "its end" : "being healthy";
}

/** What it logged last: usually why. */
async function lastWords(box: Box): Promise<string> {
  let text = "";
  for await (const entry of box.logs({ tail: 10 })) text += entry.text;
  return text === "" ? "" : `; it said:\n${text.trimEnd()}`;
}
