// OCI layouts (image-spec v1.1 image-layout.md) made with the system's tar, independent of our own writer.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** What an image holds. */
export interface LayoutImage {
  readonly tag: string;
  /** Folders, lowest layer first; each becomes one gzip layer. */
  readonly layers: readonly string[];
  readonly config: Readonly<Record<string, unknown>>;
  readonly platform: { readonly os: string; readonly architecture: string };
}

function putBlob(layout: string, mediaType: string, bytes: Uint8Array): Descriptor {
  const hex = createHash("sha256").update(bytes).digest("hex");
  writeFileSync(join(layout, "blobs/sha256", hex), bytes);
  return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** Tar of a folder: numeric owner 0, sorted names. Throws when tar fails. */
export function tarFolder(folder: string): Buffer {
  const { status, stdout, stderr } = spawnSync(
    "tar",
    ["--numeric-owner", "--owner=0", "--group=0", "--sort=name", "-C", folder, "-cf", "-", "."],
    { maxBuffer: 512 * 1024 * 1024 },
  );
  if (status !== 0) throw new Error(`tar: ${stderr.toString()}`);
  return stdout;
}

/** Writes a layout with the images into a new folder. */
export function writeLayout(layout: string, images: readonly LayoutImage[]): void {
  rmSync(layout, { recursive: true, force: true });
  mkdirSync(join(layout, "blobs/sha256"), { recursive: true });
  const manifests = images.map((image) => putImage(layout, image));
  writeFileSync(join(layout, "index.json"), json({ schemaVersion: 2, manifests }));
  writeFileSync(join(layout, "oci-layout"), json({ imageLayoutVersion: "1.0.0" }));
}

function putImage(layout: string, image: LayoutImage): unknown {
  const tars = image.layers.map(tarFolder);
  const diffIds = tars.map((tar) => `sha256:${createHash("sha256").update(tar).digest("hex")}`);
  const layers = tars.map((tar) =>
    putBlob(layout, "application/vnd.oci.image.layer.v1.tar+gzip", gzipSync(tar, { level: 1 })),
  );
  const config = putBlob(
    layout,
    "application/vnd.oci.image.config.v1+json",
    json({
      created: "2026-01-01T00:00:00Z",
      ...image.platform,
      config: image.config,
      rootfs: { type: "layers", diff_ids: diffIds },
    }),
  );
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const manifest = putBlob(layout, mediaType, json({ schemaVersion: 2, mediaType, config, layers }));
  const annotations = { "org.opencontainers.image.ref.name": image.tag };
  return { ...manifest, platform: image.platform, annotations };
}
