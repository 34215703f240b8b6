// How a running guest is told to end, from its own thread or another: one shared word. Host calls look at it, waits wake from it.
// A guest that makes no host call is stopped by node/watch.ts.

/** Why a guest was ended; the number in the shared word. */
export const REASON = { none: 0, timeout: 1, terminated: 2, cpu: 3, signal: 1000 } as const;

/** Thrown through the guest's frames when it is to end. An Error, because jco takes anything else for a result of the call. */
export class Interrupted extends Error {
  readonly reason: number;
  constructor(reason: number) {
    super("the guest was interrupted");
    this.reason = reason;
  }
}

export class Interrupt {
  readonly word: Int32Array<SharedArrayBuffer | ArrayBuffer>;
  /** Called on host calls and in waits while the second word, where there is one, is not 0. */
  visitor: (() => void) | undefined;
  /** SIGINT breaks a guest off before another thread could say which signal came first: how long to wait for that. */
  settleMs = 0;

  constructor(word?: Int32Array<SharedArrayBuffer | ArrayBuffer>) {
    this.word = word ?? new Int32Array(sharedWord());
  }

  /** Throws {@link Interrupted} when the guest is to end. */
  check(): void {
    const reason = Atomics.load(this.word, 0);
    if (reason !== REASON.none) throw new Interrupted(reason);
    if (this.visitor !== undefined && Atomics.load(this.word, 1) !== 0) this.visitor();
  }

  /** What was raised; waits for it when it is still on its way. */
  raised(): number {
    if (this.settleMs > 0) Atomics.wait(this.word as Int32Array<SharedArrayBuffer>, 0, REASON.none, this.settleMs);
    return Atomics.load(this.word, 0);
  }

  /** Asks the guest to end; the first reason stays. `REASON.signal + n` stands for signal n. */
  raise(reason: number): void {
    Atomics.compareExchange(this.word, 0, REASON.none, reason);
    Atomics.notify(this.word, 0);
  }

  /** Waits `ms` (Infinity: until interrupted); throws {@link Interrupted} when the guest is to end. */
  sleep(ms: number): void {
    if (!canWait()) spin(ms);
    const until = performance.now() + ms;
    // A visitor wakes it too.
    for (let left = ms; canWait() && left > 0; left = until - performance.now()) {
      Atomics.wait(this.word as Int32Array<SharedArrayBuffer>, 0, REASON.none, left);
      this.check();
    }
    this.check();
  }
}

function sharedWord(): SharedArrayBuffer | ArrayBuffer {
  return typeof SharedArrayBuffer === "undefined" ? new ArrayBuffer(4) : new SharedArrayBuffer(4);
}

/** A browser's page may not block: there, in-thread guests wait by turning. Put guests that sleep into a worker. */
function canWait(): boolean {
  return typeof SharedArrayBuffer !== "undefined" && !("document" in globalThis);
}

function spin(ms: number): void {
  const until = performance.now() + Math.min(ms, 0x7fff_ffff);
  while (performance.now() < until);
}
