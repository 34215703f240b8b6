// What a program's name stands for in a filesystem in memory, as far as it is a core module, which can run in a worker.
import { createHash } from "node:crypto";
import { toByteString } from "@lapstrake/base";
import { OPEN, resolvePath, type UnionFs } from "@lapstrake/layers";
import { DETECT_BYTES, compileModule, detectWasm, type WasmModule } from "@lapstrake/wasm";

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const KEPT_MODULES = 16;
const compiled = new Map<string, WasmModule>();

/** The compiled module; undefined when the name stands for something else, or nothing. */
export async function moduleNamed(
  fs: UnionFs,
  name: string,
  cwd: string,
  path: string | undefined,
  memoryBytes: number | undefined,
): Promise<WasmModule | undefined> {
  await Promise.resolve();
  for (const candidate of candidates(name, cwd, path ?? DEFAULT_PATH)) {
    const bytes = moduleBytes(fs, candidate);
    if (bytes !== undefined) return bytes === "other" ? undefined : compiledOnce(bytes, memoryBytes);
  }
  return undefined;
}

function candidates(name: string, cwd: string, path: string): string[] {
  const places = name.includes("/")
    ? [name.startsWith("/") ? name : `${cwd}/${name}`]
    : path.split(":").map((dir) => `${dir}/${name}`);
  return places.flatMap((place) => [place, `${place}.wasm`]);
}

/** Undefined when there is no file. */
function moduleBytes(fs: UnionFs, path: string): Uint8Array<ArrayBuffer> | "other" | undefined {
  const found = resolvePath(fs, fs.root, toByteString(path));
  if (typeof found === "number" || found.ino === 0 || fs.getattr(found.ino).type !== "file") return undefined;
  const { size } = fs.getattr(found.ino);
  const handle = fs.open(found.ino, OPEN.read);
  try {
    const head = readBytes(fs, handle, Math.min(size, DETECT_BYTES));
    return detectWasm(head) === "module" ? readBytes(fs, handle, size) : "other";
  } finally {
    fs.close(handle);
  }
}

function readBytes(fs: UnionFs, handle: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0, got = -1; at < length && got !== 0; at += got) got = fs.read(handle, bytes, at, length - at, at);
  return bytes;
}

function compiledOnce(bytes: Uint8Array<ArrayBuffer>, memoryBytes: number | undefined): WasmModule {
  const key = `${createHash("sha256").update(bytes).digest("hex")} ${memoryBytes ?? ""}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const module = compileModule(bytes, memoryBytes);
  compiled.set(key, module);
  for (const first of compiled.keys()) {
    if (compiled.size > KEPT_MODULES) compiled.delete(first);
    break;
  }
  return module;
}
