import type { Attachment, Control } from "./types.ts";
export function attach(
  containerDir: string,
  options: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean },
): Promise<Attachment> {
  throw new Error("being written");
}
export function control(containerDir: string): Promise<Control> {
  throw new Error("being written");
}
