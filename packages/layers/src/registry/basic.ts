// The Basic scheme (RFC 7617, UTF-8) and its base64, without Node's Buffer.
import { toByteString, toBytes } from "@lapstrake/base";

/** `Basic …` for a login. */
export function basicHeader(username: string, password: string): string {
  return `Basic ${btoa(toByteString(`${username}:${password}`))}`;
}

/** Splits base64 of `user:password`; undefined when it is not that. */
export function decodeBasic(base64: string): { readonly username: string; readonly password: string } | undefined {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(toBytes(atob(base64)));
  } catch {
    return undefined; // not base64, or not text
  }
  const colon = text.indexOf(":");
  if (colon < 0) return undefined;
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, "") };
}
