// From a command's name to what runs: a file by path or along PATH, holding a module, a component or a shell script; or our own
// shell, for images that have none.
import { ERRNO, fromBytes, fsError, toByteString } from "@lapstrake/base";
import { OPEN, resolvePath, type Ino, type InodeFs } from "@lapstrake/layers";
import { compileModule } from "../run/compile.ts";
import { detectWasm } from "../run/detect.ts";
import type { WasmModule } from "../webassembly.ts";

/** What a file holds. */
export type Program =
  | { readonly kind: "module"; readonly module: WasmModule }
  | { readonly kind: "component"; readonly bytes: Uint8Array<ArrayBuffer> }
  /** The built-in shell; `script` is the file it reads, without one its arguments say. */
  | { readonly kind: "shell"; readonly script: string | undefined };

/** What PATH is when nobody set it. */
export const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";
/** What the built-in shell answers to, where the image has no such file. */
const SHELLS: ReadonlySet<string> = new Set(["sh", "/bin/sh", "/usr/bin/sh"]);
/** `#!` and the interpreter's path. */
const INTERPRETER = /^#! *(\S+)/;
const LONGEST_INTERPRETER = 128;

export class Programs {
  readonly #fs: InodeFs;
  readonly #memoryBytes: number | undefined;
  readonly #compiled = new Map<string, WasmModule>();

  constructor(fs: InodeFs, memoryBytes: number | undefined) {
    this.#fs = fs;
    this.#memoryBytes = memoryBytes;
  }

  /** Throws ENOENT when nothing has that name, ENOEXEC when it is no WebAssembly, EACCES when it is no file. */
  locate(name: string, cwd: string, path: string): Program {
    for (const candidate of candidates(name, cwd, path)) {
      const ino = this.#file(candidate);
      if (ino !== undefined) return this.#load(ino, candidate);
    }
    if (SHELLS.has(name)) return { kind: "shell", script: undefined };
    throw fsError(ERRNO.ENOENT);
  }

  /** The file of a name, whatever it holds; undefined without one. */
  find(name: string, cwd: string, path: string): Ino | undefined {
    for (const candidate of candidates(name, cwd, path)) {
      const ino = this.#file(candidate);
      if (ino !== undefined) return ino;
    }
    return undefined;
  }

  #file(path: string): Ino | undefined {
    const found = resolvePath(this.#fs, this.#fs.root, toByteString(path));
    if (typeof found === "number" || found.ino === 0) return undefined;
    if (this.#fs.getattr(found.ino).type !== "file") throw fsError(ERRNO.EACCES);
    return found.ino;
  }

  #load(ino: Ino, path: string): Program {
    const bytes = readFile(this.#fs, ino);
    const kind = detectWasm(bytes);
    if (kind === "module") return { kind, module: this.#compile(ino, bytes) };
    if (kind === "component") return { kind, bytes };
    const interpreter = INTERPRETER.exec(fromBytes(bytes, 0, Math.min(bytes.length, LONGEST_INTERPRETER)))?.[1];
    if (interpreter === undefined || !SHELLS.has(interpreter)) throw fsError(ERRNO.ENOEXEC);
    return { kind: "shell", script: path };
  }

  /** A file that did not change is compiled once. */
  #compile(ino: Ino, bytes: Uint8Array<ArrayBuffer>): WasmModule {
    const { size, mtimeSec, mtimeNsec } = this.#fs.getattr(ino);
    const key = `${ino}:${size}:${mtimeSec}.${mtimeNsec}`;
    const known = this.#compiled.get(key);
    if (known !== undefined) return known;
    const module = compileModule(bytes, this.#memoryBytes);
    this.#compiled.set(key, module);
    return module;
  }
}

/** Paths to look at, in order; `.wasm` may be left out. Images name `app.wasm` of their working directory: that comes last. */
function candidates(name: string, cwd: string, path: string): string[] {
  const dirs = name.includes("/") ? [] : path.split(":").filter((dir) => dir !== "");
  const plain = [...dirs.map((dir) => joinPath(dir, name)), joinPath(cwd, name)];
  return plain.flatMap((candidate) => [candidate, `${candidate}.wasm`]);
}

/** `path` seen from the directory `base`. */
export function joinPath(base: string, path: string): string {
  if (path.startsWith("/")) return path;
  return `${base === "/" ? "" : base}/${path}`;
}

/** All bytes of a file. */
export function readFile(fs: InodeFs, ino: Ino): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(fs.getattr(ino).size);
  const handle = fs.open(ino, OPEN.read);
  try {
    for (let at = 0; at < bytes.length;) {
      const count = fs.read(handle, bytes, at, bytes.length - at, at);
      if (count === 0) return bytes.slice(0, at);
      at += count;
    }
    return bytes;
  } finally {
    fs.close(handle);
  }
}
