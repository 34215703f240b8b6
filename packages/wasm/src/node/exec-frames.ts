// What the client of an exec and the payload of a Wasm container say on their socket: a kind, a length, bytes.
//
//   client: request, then stdin … end of stdin, signals      payload: stdout and stderr …, then the exit code

/** First byte of a frame. */
export const FRAME = { request: 0, stdin: 1, stdinEnd: 2, stdout: 3, stderr: 4, exit: 5, signal: 6 } as const;

/** What to run in a container that runs. */
export interface ExecOrder {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Standard streams that are terminals. */
  readonly terminal: boolean;
  /** No program: the container's files, see files-visit.ts. */
  readonly files?: boolean;
}

const HEADER = 5;
/** Frames are chunks of streams and one request; more is a broken client. */
const MAX_BYTES = 1 << 24;

export function encodeFrame(kind: number, bytes: Uint8Array = new Uint8Array(0)): Buffer {
  const head = Buffer.alloc(HEADER);
  head[0] = kind;
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** Cuts a stream into frames. */
export class FrameReader {
  #held: Buffer = Buffer.alloc(0);

  /** Frames that are complete with these bytes. Throws a RangeError for one that is too long. */
  *push(chunk: Buffer): Generator<readonly [kind: number, bytes: Buffer]> {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    while (this.#held.length >= HEADER) {
      const length = this.#held.readUInt32BE(1);
      if (length > MAX_BYTES) throw new RangeError(`a frame of ${length} bytes`);
      if (this.#held.length < HEADER + length) return;
      const frame = [this.#held[0]!, this.#held.subarray(HEADER, HEADER + length)] as const;
      this.#held = this.#held.subarray(HEADER + length);
      yield frame;
    }
  }
}
