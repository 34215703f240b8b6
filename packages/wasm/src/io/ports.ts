// What a guest's stdin, stdout and stderr are connected to. Synchronous: a guest waits inside a host call.
// Implementations: fds of this process (node/fd-streams.ts), buffers (buffers.ts), rings to another thread (ring.ts).

/** What the guest is told it talks to: terminals make isatty() true. */
export type StreamKind = "terminal" | "pipe";

/** Where a guest reads from. */
export interface GuestInput {
  readonly kind: StreamKind;
  /** Bytes read; waits until there is at least one, 0 at the end. */
  read(into: Uint8Array, offset: number, length: number): number;
  /** Bytes that a read would give now; 0 when it would wait; -1 at the end. */
  ready(): number;
  /** Waits until `ready()` is not 0 or `ms` have passed (Infinity: for ever). */
  wait(ms: number): void;
  /** No more will be read from here. */
  close?(): void;
}

/** Where a guest writes to. */
export interface GuestOutput {
  readonly kind: StreamKind;
  /** Bytes taken, at least one unless `length` is 0; waits while the reader is slow. Throws EPIPE when nobody reads. */
  write(from: Uint8Array, offset: number, length: number): number;
  /** No more will be written: readers see the end. */
  close?(): void;
}
