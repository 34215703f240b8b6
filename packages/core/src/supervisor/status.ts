import type { StatusRecord } from "./types.ts";
export function readStatus(containerDir: string): StatusRecord | undefined {
  throw new Error("being written");
}
export function observeStatus(containerDir: string): StatusRecord | undefined {
  throw new Error("being written");
}
