// Inputs of the benchmarks, made on the spot: a busybox root filesystem, and an image of it as an OCI layout (image-spec v1).
import { createHash } from "node:crypto";
import { copyFileSync, linkSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { arch } from "node:process";
import { join } from "node:path";
import { prepare, which } from "./commands.ts";

const APPLETS: readonly string[] = ["true", "sh", "sleep", "cat", "echo"];

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

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function putBlob(layout: string, mediaType: string, bytes: Uint8Array): Descriptor {
  const hex = digestOf(bytes);
  writeFileSync(join(layout, "blobs/sha256", hex), bytes);
  return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** Writes an OCI layout with one uncompressed layer of `rootfs`, tagged `tag`, into the existing folder `layout`. */
export function ociLayout(rootfs: string, layout: string, tag: string): void {
  mkdirSync(join(layout, "blobs/sha256"), { recursive: true });
  const tar = join(layout, "layer.tar");
  prepare("tar", ["--numeric-owner", "--owner=0", "--group=0", "-C", rootfs, "-cf", tar, "."]);
  const layer = putBlob(layout, "application/vnd.oci.image.layer.v1.tar", readFileSync(tar));
  const platform = { os: "linux", architecture: arch === "arm64" ? "arm64" : "amd64" };
  const rootfsField = { type: "layers", diff_ids: [layer.digest] };
  const image = { ...platform, config: { Cmd: ["/bin/sh"] }, rootfs: rootfsField };
  const config = putBlob(layout, "application/vnd.oci.image.config.v1+json", json(image));
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const manifest = putBlob(layout, mediaType, json({ schemaVersion: 2, mediaType, config, layers: [layer] }));
  const annotations = { "org.opencontainers.image.ref.name": tag };
  const index = { schemaVersion: 2, manifests: [{ ...manifest, platform, annotations }] };
  writeFileSync(join(layout, "index.json"), json(index));
  writeFileSync(join(layout, "oci-layout"), json({ imageLayoutVersion: "1.0.0" }));
}
