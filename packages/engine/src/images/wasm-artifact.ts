// An ordinary Wasm image as a CNCF Wasm artifact: the program itself is the one layer (CNCF TAG Runtime, "Wasm OCI Artifact layout").
// An artifact says neither arguments nor variables and has no other files, so only images that need none become one.
import { createHash } from "node:crypto";
import { MEDIA_TYPE, LapError, parseReference, toByteString, type Digest } from "@lapstrake/base";
import { OPEN, UnionFs, writeTar, type Ino } from "@lapstrake/layers";
import { detectWasm } from "@lapstrake/wasm";
import { programBytes } from "@lapstrake/wasm/node";
import type { EngineContext } from "../context.ts";
import { imageTrees } from "./trees.ts";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** A tar of an OCI layout with the artifact under the image's name, as `load` reads it. Throws `ERR_LAP_WASM_ARTIFACT`. */
export async function wasmArtifactArchive(context: EngineContext, name: string): Promise<AsyncIterable<Uint8Array>> {
  const images = await context.images();
  const image = images.resolveForRun(name, undefined);
  const { Entrypoint, Cmd, Env, WorkingDir } = image.config.config ?? {};
  const args = [...(Entrypoint ?? []), ...(Cmd ?? [])];
  const variables = (Env ?? []).filter((line) => !line.startsWith("PATH="));
  if (args.length !== 1 || variables.length > 0) throw notAlone(name, "it starts with arguments or variables");
  const program = await onlyProgram(context.paths.root, image.id, args[0]!, WorkingDir ?? "/");
  if (program === undefined) throw notAlone(name, "it holds more than the program it starts");
  return archive(program, name, image.config.created);
}

async function onlyProgram(root: string, id: Digest, command: string, cwd: string): Promise<Uint8Array | undefined> {
  const fs = UnionFs.create(await imageTrees(root, id), { readOnly: true });
  const bytes = programBytes(fs, command, cwd === "" ? "/" : cwd);
  return bytes === undefined || filesBelow(fs, fs.root) !== 1 ? undefined : bytes;
}

/** Whatever is no directory. */
function filesBelow(fs: UnionFs, dir: Ino): number {
  const handle = fs.opendir(dir);
  let count = 0;
  for (const { name } of fs.readdir(handle, 0, Number.MAX_SAFE_INTEGER)) {
    const ino = fs.lookup(dir, name);
    count += fs.getattr(ino).type === "dir" ? filesBelow(fs, ino) : 1;
  }
  fs.close(handle);
  return count;
}

async function* archive(
  program: Uint8Array,
  name: string,
  created: string | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const fs = UnionFs.create([]);
  const blobs = fs.mkdir(fs.mkdir(fs.root, toByteString("blobs"), 0o755), toByteString("sha256"), 0o755);
  const put = (bytes: Uint8Array, mediaType: string): Blob => {
    const hex = createHash("sha256").update(bytes).digest("hex");
    writeFile(fs, blobs, hex, bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
  };
  const layer = put(program, MEDIA_TYPE.wasm);
  const os = detectWasm(program) === "component" ? "wasip2" : "wasip1";
  const about = {
    ...(created === undefined ? {} : { created }),
    architecture: "wasm",
    os,
    layerDigests: [layer.digest],
  };
  const config = put(jsonBytes(about), MEDIA_TYPE.wasmConfig);
  const manifest = put(jsonBytes({ schemaVersion: 2, mediaType: MANIFEST, config, layers: [layer] }), MANIFEST);
  const annotations = {
    "org.opencontainers.image.ref.name": fullName(name),
    "io.containerd.image.name": fullName(name),
  };
  const platform = { architecture: "wasm", os };
  writeFile(fs, fs.root, "oci-layout", jsonBytes({ imageLayoutVersion: "1.0.0" }));
  const index = { schemaVersion: 2, manifests: [{ ...manifest, platform, annotations }] };
  writeFile(fs, fs.root, "index.json", jsonBytes(index));
  yield* writeTar(fs.diffEntries());
}

interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

function writeFile(fs: UnionFs, dir: Ino, name: string, bytes: Uint8Array): void {
  const { handle } = fs.create(dir, toByteString(name), 0o644, OPEN.write);
  for (let done = 0; done < bytes.length;) done += fs.write(handle, bytes, done, bytes.length - done, done);
  fs.close(handle);
}

function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function fullName(name: string): string {
  const { domain, path, tag } = parseReference(name);
  return `${domain}/${path}:${tag ?? "latest"}`;
}

function notAlone(name: string, why: string): LapError {
  return new LapError("failedPrecondition", "ERR_LAP_WASM_ARTIFACT", `image "${name}" is no artifact: ${why}`, {
    hint: "an artifact is one program without arguments; save it as the image it is",
  });
}
