// The one place that loads koffi: its binary directly (1 ms; its JavaScript wrapper costs 12), at first use.
import { createRequire } from "node:module";
import { LapError } from "@lapstrake/base";

/** A C function behind koffi; pointers are passed as addresses. */
export type NativeFunction = (...args: (number | bigint | string | Uint8Array)[]) => number;

/** The part of koffi's binary module that we use. */
export interface Koffi {
  load(path: string | null): { func(prototype: string): NativeFunction };
  address(value: Uint8Array): bigint;
  errno(): number;
}

let loaded: Koffi | undefined;

function isMusl(): boolean {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  return report?.header?.glibcVersionRuntime === undefined;
}

function load(): Koffi {
  const name = `@koromix/koffi-linux-${process.arch}`;
  const require = createRequire(import.meta.url);
  const triplet = (libc: string): string => `${name}/${libc}_${process.arch}/koffi.node`;
  try {
    return require(triplet("linux")) as Koffi;
  } catch (cause) {
    // Asking which libc this is costs several milliseconds, so only after the common one failed.
    if (isMusl()) return require(triplet("musl")) as Koffi;
    throw new LapError("unavailable", "ERR_LAP_FFI_MISSING", `cannot load the FFI binary of ${name}`, {
      hint: "install the optional dependencies of @lapstrake/core (npm install without --omit=optional)",
      cause,
    });
  }
}

/** koffi's binary module; throws `ERR_LAP_FFI_MISSING`. */
export function koffi(): Koffi {
  loaded ??= load();
  return loaded;
}
