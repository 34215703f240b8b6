// OCI layouts (image-spec v1.1 image-layout.md) made with the system's tar, independent of our own writer.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** What an image holds: one manifest, or with further variants an index of manifests over the same layers. */
export interface LayoutImage extends LayoutVariant {
  readonly tag: string;
  /** Folders, lowest layer first; each becomes one gzip layer. */
  readonly layers: readonly string[];
  readonly variants?: readonly LayoutVariant[];
}

/** How an image runs on one platform. */
export interface LayoutVariant {
  readonly config: Readonly<Record<string, unknown>>;
  readonly platform: { readonly os: string; readonly architecture: string };
  /** Of the manifest. */
  readonly annotations?: Readonly<Record<string, string>>;
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

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";

function putImage(layout: string, image: LayoutImage): unknown {
  const tars = image.layers.map(tarFolder);
  const diffIds = tars.map((tar) => `sha256:${createHash("sha256").update(tar).digest("hex")}`);
  const layers = tars.map((tar) =>
    putBlob(layout, "application/vnd.oci.image.layer.v1.tar+gzip", gzipSync(tar, { level: 1 })),
  );
  const manifests = [image, ...(image.variants ?? [])].map((variant) => ({
    ...putManifest(layout, variant, diffIds, layers),
    platform: variant.platform,
  }));
  const annotations = { "org.opencontainers.image.ref.name": image.tag };
  if (manifests.length === 1) return { ...manifests[0], annotations };
  return { ...putBlob(layout, INDEX, json({ schemaVersion: 2, mediaType: INDEX, manifests })), annotations };
}

function putManifest(
  layout: string,
  { platform, config, annotations }: LayoutVariant,
  diffIds: readonly string[],
  layers: readonly Descriptor[],
): Descriptor {
  const rootfs = { type: "layers", diff_ids: diffIds };
  const document = json({ created: "2026-01-01T00:00:00Z", ...platform, config, rootfs });
  const configBlob = putBlob(layout, "application/vnd.oci.image.config.v1+json", document);
  return putBlob(
    layout,
    MANIFEST,
    json({ schemaVersion: 2, mediaType: MANIFEST, config: configBlob, layers, annotations }),
  );
}
