// Frames of a supervisor's socket: {type u8, flags u8, 0, 0, length u32 BE} and a payload. native/src/client.h has the same numbers.
import { LapError } from "@lapstrake/base";

/** Version of the wire; the supervisor names its own in HELLO. */
export const WIRE_VERSION = 1;
/** Bytes of input a client may have sent beyond what the supervisor acknowledged. */
export const STDIN_WINDOW: number = 64 * 1024;
const MAX_FRAME = 1024 * 1024;

export const FRAME = {
  attach: 1,
  stdin: 2,
  stdinEof: 3,
  resize: 4,
  signal: 5,
  wait: 6,
  pause: 7,
  resume: 8,
  reaped: 9,
  go: 10,
  watch: 11,
  guard: 12,
  hello: 0x81,
  started: 0x82,
  stdout: 0x83,
  stderr: 0x84,
  exit: 0x85,
  error: 0x86,
  ok: 0x87,
  credit: 0x88,
  failed: 0x89,
  sync: 0x8a,
} as const;

/** Flag of `pause`: for as long as the connection lasts. */
export const PAUSE_HELD = 1;

export const STREAM = { stdin: 1, stdout: 2, stderr: 4 } as const;

/** One frame as it arrived. */
export interface Frame {
  readonly type: number;
  readonly payload: Buffer;
}

/** Bytes of one frame. */
export function encodeFrame(type: number, payload: Uint8Array = new Uint8Array(0), flags = 0): Buffer {
  const frame = Buffer.allocUnsafe(8 + payload.length);
  frame.writeUInt32BE(((type << 24) | (flags << 16)) >>> 0, 0);
  frame.writeUInt32BE(payload.length, 4);
  frame.set(payload, 8);
  return frame;
}

/** Payload of 32-bit big-endian words. */
export function words(...values: readonly number[]): Buffer {
  const payload = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => payload.writeUInt32BE(value >>> 0, index * 4));
  return payload;
}

/** Cuts a byte stream into frames. */
export class FrameDecoder {
  #rest: Buffer = Buffer.alloc(0);

  /** Complete frames of what came so far; throws `ERR_LAP_WIRE` on an impossible length. */
  push(chunk: Buffer): Frame[] {
    let buffer = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: Frame[] = [];
    while (buffer.length >= 8) {
      const length = buffer.readUInt32BE(4);
      if (length > MAX_FRAME)
        throw new LapError("internal", "ERR_LAP_WIRE", `a frame of ${length} bytes from a supervisor`);
      if (buffer.length < 8 + length) break;
      frames.push({ type: buffer[0]!, payload: buffer.subarray(8, 8 + length) });
      buffer = buffer.subarray(8 + length);
    }
    this.#rest = buffer;
    return frames;
  }
}
