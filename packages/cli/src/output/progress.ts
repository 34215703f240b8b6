// Progress of long work: one line per item, redrawn on a terminal; nothing in a pipe.
import { LapError, formatSize, type ProgressEvent, type ProgressSink } from "@lapstrake/base";
import { err } from "./print.ts";

const REDRAW_MS = 80;
const BAR_WIDTH = 40;
/** 128 + SIGINT. */
const INTERRUPTED = 130;

export interface ProgressPrinter {
  readonly sink: ProgressSink;
  /** Leaves the last state on the terminal. */
  done(): void;
}

/** Draws on standard error when it is a terminal. */
export function progressPrinter(quiet: boolean): ProgressPrinter {
  if (quiet || process.stderr.isTTY !== true) return { sink() {}, done() {} };
  const lines = new Map<string, ProgressEvent>();
  let drawn = 0;
  let last = 0;
  const draw = (): void => {
    const text = [...lines.values()].map((event) => `\x1b[2K${progressLine(event)}\n`).join("");
    err(`${drawn > 0 ? `\x1b[${drawn}A` : ""}${text}`);
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

/** `3c8d…: Extracting [====>   ]  1.2MB/8.8MB`. */
export function progressLine({ id, status, current, total }: ProgressEvent): string {
  const name = id.replace(/^sha256:/, "").slice(0, 12);
  if (current === undefined || total === undefined || total === 0) return `${name}: ${status}`;
  const filled = Math.min(BAR_WIDTH, Math.floor((current / total) * BAR_WIDTH));
  const bar = `${"=".repeat(filled)}${filled < BAR_WIDTH ? ">" : ""}`.padEnd(BAR_WIDTH + 1).slice(0, BAR_WIDTH + 1);
  return `${name}: ${status} [${bar}]  ${formatSize(current)}/${formatSize(total)}`;
}

/** Ctrl-C ends long work by its signal, so that it can clean up; a second one ends the process. */
export function interruptible(): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const onInterrupt = (): void => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort(new LapError("canceled", "ERR_LAP_INTERRUPTED", "interrupted"));
  };
  process.on("SIGINT", onInterrupt);
  return { signal: controller.signal, [Symbol.dispose]: () => process.off("SIGINT", onInterrupt) };
}
