import type { DirFs } from "@lapstrake/base";
export function openDirFs(path: string): DirFs {
  throw new Error("being written");
}
