// The CNCF form of a Wasm program as an OCI layout: one application/wasm blob, with a config of its own.
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What a descriptor says of a blob. */
export interface Blob {
  readonly digest: string;
  readonly size: number;
}

/** Writes an OCI layout with one artifact of `program`, named `name`. */
export function writeArtifact(folder: string, program: Uint8Array, name: string): void {
  mkdirSync(join(folder, "blobs/sha256"), { recursive: true });
  const put = (bytes: Uint8Array | string): Blob => {
    const hex = createHash("sha256").update(bytes).digest("hex");
    writeFileSync(join(folder, "blobs/sha256", hex), bytes);
    return { digest: `sha256:${hex}`, size: Buffer.byteLength(bytes) };
  };
  const layer = { mediaType: "application/wasm", ...put(program) };
  const config = JSON.stringify({
    architecture: "wasm",
    os: "wasip1",
    created: "2026-01-01T00:00:00Z",
    layerDigests: [layer.digest],
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.wasm.config.v0+json", ...put(config) },
    layers: [layer],
  };
  const target = { mediaType: manifest.mediaType, ...put(JSON.stringify(manifest)) };
  const annotations = { "org.opencontainers.image.ref.name": `docker.io/library/${name}` };
  writeFileSync(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(
    join(folder, "index.json"),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...target, annotations }] }),
  );
}
