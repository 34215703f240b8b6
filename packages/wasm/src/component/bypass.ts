// The adapter bypass: a 0.2 component made from a preview1 module contains that module byte for byte. When nothing else is asked
// for, running it on the preview1 host is many times faster. (Component binary format: sections 1 core module, 4 component, 10 import.)
import { readU32 } from "../binary/leb.ts";
import { sections } from "../binary/sections.ts";
import { Wasm, type WasmModule } from "../webassembly.ts";

const CORE_MODULE = 1;
const COMPONENT = 4;
const IMPORT = 10;
/** Import names: kind 0 plain, 1 with a version hint; both are a length and text. */
const WASI = "wasi:";

/** The bytes of the preview1 command inside, or undefined when the component is more than that. */
export function wrappedCommand(component: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
  const parts = sections(component);
  // A component inside may only rename what is exported: with code of its own, this one is a composition.
  const inner = parts.filter(({ id }) => id === COMPONENT).map(({ content, end }) => component.subarray(content, end));
  if (inner.some((bytes) => sections(bytes).some(({ id }) => id === CORE_MODULE || id === COMPONENT))) return undefined;
  const imports = parts.filter(({ id }) => id === IMPORT);
  if (!imports.every(({ content, end }) => onlyWasi(component, content, end))) return undefined;
  const modules = parts.filter(({ id }) => id === CORE_MODULE).map(({ content, end }) => component.slice(content, end));
  const commands = modules.filter(isCommand);
  return commands.length === 1 ? commands[0] : undefined;
}

/** Imports are a vector of names and descriptions; descriptions vary, so names are found where each must start. */
function onlyWasi(bytes: Uint8Array, start: number, end: number): boolean {
  const { value: count, next } = readU32(bytes, start);
  const first = nameAt(bytes, next, end);
  return count === 1
    ? first?.startsWith(WASI) === true
    : first === undefined
      ? count === 0
      : allNamesAreWasi(bytes, next, end, count);
}

/** An instance import is described by kind 5 and a type index. */
const INSTANCE_KIND = 5;

function allNamesAreWasi(bytes: Uint8Array, start: number, end: number, count: number): boolean {
  let at = start;
  for (let i = 0; i < count; i++) {
    const name = nameAt(bytes, at, end);
    if (name?.startsWith(WASI) !== true) return false;
    const described = readU32(bytes, at + 1).next + name.length;
    if (bytes[described] !== INSTANCE_KIND) return false;
    at = readU32(bytes, described + 1).next;
  }
  return at === end;
}

function nameAt(bytes: Uint8Array, at: number, end: number): string | undefined {
  if (at >= end) return undefined;
  const { value: length, next } = readU32(bytes, at + 1);
  return next + length <= end ? String.fromCharCode(...bytes.subarray(next, next + length)) : undefined;
}

/** Imports nothing but preview1, and starts like a command. */
function isCommand(bytes: Uint8Array<ArrayBuffer>): boolean {
  if (!mentions(bytes, "wasi_snapshot_preview1") || !mentions(bytes, "_start")) return false;
  const module: WasmModule = new Wasm.Module(bytes);
  const imports = Wasm.Module.imports(module);
  const exports = Wasm.Module.exports(module).map(({ name }) => name);
  return imports.every(({ module: from }) => from === "wasi_snapshot_preview1") && exports.includes("_start");
}

/** A cheap look before a compilation. */
function mentions(bytes: Uint8Array, text: string): boolean {
  const pattern = [...text].map((letter) => letter.charCodeAt(0));
  for (let at = bytes.indexOf(pattern[0]!); at >= 0; at = bytes.indexOf(pattern[0]!, at + 1)) {
    if (pattern.every((byte, index) => bytes[at + index] === byte)) return true;
  }
  return false;
}
