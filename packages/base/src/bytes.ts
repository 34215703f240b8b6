// Names and paths inside images are bytes, not text (tar and ext4 both allow any byte but NUL and "/").
// They travel as ByteStrings: one UTF-16 unit per byte, which V8 stores one byte each and hashes fast.

/** A byte sequence as a string of units 0..255 ("latin1"). Text becomes one by {@link toByteString}. */
export type ByteString = string;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: false });
const NON_ASCII = /[^\u0000-\u007f]/;

/** The UTF-8 bytes of `text`. ASCII text is returned as it is. */
export function toByteString(text: string): ByteString {
  return NON_ASCII.test(text) ? fromBytes(encoder.encode(text)) : text;
}

/** Text of a ByteString; invalid UTF-8 shows as U+FFFD, so use it for display and never for lookups. */
export function fromByteString(bytes: ByteString): string {
  return NON_ASCII.test(bytes) ? decoder.decode(toBytes(bytes)) : bytes;
}

/** The ByteString of `bytes[start, end)`. */
export function fromBytes(bytes: Uint8Array, start = 0, end: number = bytes.length): ByteString {
  let out = "";
  for (let i = start; i < end; i += 4096) {
    out += String.fromCharCode(...bytes.subarray(i, Math.min(i + 4096, end)));
  }
  return out;
}

/** The bytes of a ByteString. */
export function toBytes(text: ByteString): Uint8Array {
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
  return out;
}
