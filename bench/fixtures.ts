// Inputs of the benchmarks, made on the spot: a busybox root filesystem, and an image of it.
import { copyFileSync, linkSync, mkdirSync, readFileSync } from "node:fs";
import { arch } from "node:process";
import { join } from "node:path";
import { writeLayout } from "../test/support/oci-layout.ts";
import { which } from "./commands.ts";

const APPLETS: readonly string[] = ["true", "sh", "sleep", "cat", "echo", "wc"];

/** Why there is no busybox root filesystem on this machine, or undefined. */
export function busyboxMissing(): string | undefined {
  const path = which("busybox");
  if (path === undefined) return "busybox-static is not installed";
  // A dynamic busybox would need its libraries in the root filesystem.
  return readFileSync(path).includes("/ld-linux") ? "the installed busybox is not static" : undefined;
}

/** Makes a minimal root filesystem at `folder`; busybox must be static. */
export function busyboxRootfs(folder: string): void {
  for (const name of ["bin", "dev", "etc", "proc", "sys", "tmp"]) mkdirSync(join(folder, name), { recursive: true });
  const busybox = join(folder, "bin/busybox");
  copyFileSync(which("busybox") ?? "busybox", busybox);
  for (const name of APPLETS) linkSync(busybox, join(folder, "bin", name));
}

/** Writes an OCI layout with one layer of `rootfs`, tagged `tag`, to the new folder `layout`. */
export function busyboxLayout(rootfs: string, layout: string, tag: string): void {
  const platform = { os: "linux", architecture: arch === "arm64" ? "arm64" : "amd64" };
  writeLayout(layout, [{ tag, layers: [rootfs], config: { Cmd: ["/bin/sh"] }, platform }]);
}
