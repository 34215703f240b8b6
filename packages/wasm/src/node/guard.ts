// Ends a guest that makes no host call. V8 can break off running code from outside and leave the thread, and so the guest's
// filesystem, intact: node:vm offers it as a time limit and as SIGINT. (Worker.terminate() would lose the filesystem.)
import { Script } from "node:vm";
import { errorCode } from "@lapstrake/base";
import { Interrupted, REASON, type Interrupt } from "../run/interrupt.ts";

const SLOT: unique symbol = Symbol.for("lapstrake.guest");
const SCRIPT: Script = new Script("globalThis[Symbol.for('lapstrake.guest')]()", { filename: "lapstrake-guest" });
const SIGINT = 2;

/** How a call may be broken off. */
export interface GuardOptions {
  /** Wall time. */
  readonly timeoutMs?: number;
  /** SIGINT of the process breaks the call off; needed once per process only, and no other handler sees it meanwhile. */
  readonly breakOnSigint?: boolean;
}

/** Runs `call`; throws {@link Interrupted} when it was broken off. Code inside sees nothing, its finally blocks do not run. */
export function guarded(call: () => void, interrupt: Interrupt, options: GuardOptions): void {
  const slots = globalThis as unknown as Record<symbol, unknown>;
  const outer = slots[SLOT];
  slots[SLOT] = call;
  try {
    SCRIPT.runInThisContext({
      ...(options.timeoutMs === undefined ? {} : { timeout: Math.max(1, Math.ceil(options.timeoutMs)) }),
      ...(options.breakOnSigint === true ? { breakOnSigint: true } : {}),
    });
  } catch (error) {
    throw brokenOff(error, interrupt) ?? error;
  } finally {
    slots[SLOT] = outer;
  }
}

function brokenOff(error: unknown, interrupt: Interrupt): Interrupted | undefined {
  const code = errorCode(error);
  if (code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return new Interrupted(REASON.timeout);
  if (code !== "ERR_SCRIPT_EXECUTION_INTERRUPTED") return undefined;
  const raised = interrupt.raised();
  return new Interrupted(raised === REASON.none ? REASON.signal + SIGINT : raised);
}
