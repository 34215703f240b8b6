// Where the native parts are: built in the clone (native/out/<arch>), or a prebuilt package.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const LEVELS_UP = 6;

/** The kernel's name of this machine's architecture. */
export function machineArch(): "x86_64" | "aarch64" {
  return process.arch === "arm64" ? "aarch64" : "x86_64";
}

function inClone(file: string): string | undefined {
  let at = import.meta.dirname;
  for (let level = 0; level < LEVELS_UP; level++) {
    const candidate = join(at, "native", "out", machineArch(), file);
    if (existsSync(candidate)) return candidate;
    at = dirname(at);
  }
  return undefined;
}

function inPackage(file: string): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve(`@lapstrake/native-linux-${process.arch}/package.json`);
    const candidate = join(dirname(manifest), file);
    return existsSync(candidate) ? candidate : undefined;
  } catch {
    // Not installed: an optional dependency.
    return undefined;
  }
}

/** Absolute path of a native program (`lap-shim`, `lap`, `lap-runtime`), undefined when it is not there. */
export function findNative(file: string): string | undefined {
  const override = process.env["LAP_NATIVE_DIR"];
  if (override !== undefined) return existsSync(join(override, file)) ? join(override, file) : undefined;
  return inClone(file) ?? inPackage(file);
}
