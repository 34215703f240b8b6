// Progress of long work: on a terminal one line per item, redrawn; in a pipe one line per new state, without the bars.
import { LapError, formatSize, type ProgressEvent, type ProgressSink } from "@lapstrake/base";
import { err, out } from "./print.ts";

const REDRAW_MS = 80;
const BAR_WIDTH = 50;
/** Docker leaves bars out on terminals up to this. */
const NO_BAR_COLUMNS = 110;
const COLUMNS = 80;
/** 128 + SIGINT. */
const INTERRUPTED = 130;

export interface ProgressPrinter {
  readonly sink: ProgressSink;
  /** Leaves the last state on the terminal. */
  done(): void;
}

/** Where progress goes. */
export interface ProgressOptions {
  readonly quiet: boolean;
  /** Standard output for pull and push, standard error for run, as docker has it. */
  readonly to: "stdout" | "stderr";
  /** Print new states when it is no terminal. */
  readonly plain: boolean;
}

/** Draws on the wanted stream when it is a terminal. */
export function progressPrinter({ quiet, to, plain }: ProgressOptions): ProgressPrinter {
  if (quiet) return { sink() {}, done() {} };
  const print = to === "stdout" ? out : err;
  const stream = to === "stdout" ? process.stdout : process.stderr;
  if (stream.isTTY) return drawing(print, stream.columns ?? COLUMNS);
  return plain ? listing(print) : { sink() {}, done() {} };
}

function drawing(print: (text: string) => void, columns: number): ProgressPrinter {
  const lines = new Map<string, ProgressEvent>();
  let drawn = 0;
  let last = 0;
  const draw = (): void => {
    const text = [...lines.values()]
      .map((event) => `\x1b[2K${progressLine(event, columns > NO_BAR_COLUMNS).slice(0, columns)}\r\n`)
      .join("");
    print(`${drawn > 0 ? `\x1b[${drawn}A` : ""}${text}`);
    drawn = lines.size;
    last = Date.now();
  };
  return {
    sink(event) {
      const isNew = lines.get(event.id)?.status !== event.status;
      lines.set(event.id, event);
      if (isNew || Date.now() - last >= REDRAW_MS) draw();
    },
    done() {
      if (lines.size > 0) draw();
    },
  };
}

/** Docker leaves out what has a bar when nobody can see it. */
function listing(print: (text: string) => void): ProgressPrinter {
  const states = new Map<string, string>();
  return {
    sink(event) {
      if (event.current !== undefined || states.get(event.id) === event.status) return;
      states.set(event.id, event.status);
      print(`${progressLine(event)}\n`);
    },
    done() {},
  };
}

/** `3c8d…: Extracting [====>   ]  1.2MB/8.8MB`. */
export function progressLine({ id, status, current, total }: ProgressEvent, hasBar = true): string {
  const name = id.replace(/^sha256:/, "").slice(0, 12);
  if (current === undefined || total === undefined || total === 0) return `${name}: ${status}`;
  const numbers = `${formatSize(current)}/${formatSize(total)}`;
  if (!hasBar) return `${name}: ${status}  ${numbers}`;
  const filled = Math.min(BAR_WIDTH, Math.floor((current / total) * BAR_WIDTH));
  const bar = `${"=".repeat(filled)}${filled < BAR_WIDTH ? ">" : ""}`.padEnd(BAR_WIDTH + 1).slice(0, BAR_WIDTH + 1);
  return `${name}: ${status} [${bar}]  ${numbers}`;
}

/** Ctrl-C ends long work by its signal, so that it can clean up; a second one ends the process. So does a plain kill. */
export function interruptible(): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const onInterrupt = (): void => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort(new LapError("canceled", "ERR_LAP_INTERRUPTED", "interrupted"));
  };
  for (const name of ["SIGINT", "SIGTERM"]) process.on(name, onInterrupt);
  const stop = (): void => {
    for (const name of ["SIGINT", "SIGTERM"]) process.off(name, onInterrupt);
  };
  return { signal: controller.signal, [Symbol.dispose]: stop };
}
