// C guests of wasm/c, compiled for both worlds by Debian's clang with wasi-libc; absent where it is not installed.
import { execFileSync } from "node:child_process";
import { join } from "node:path";

const SOURCES = join(import.meta.dirname, "../../wasm/c");

/** Why C guests cannot be compiled here; undefined when they can. */
export const clangMissing: string | undefined = probe();

function probe(): string | undefined {
  try {
    execFileSync("clang", ["--target=wasm32-wasi", "-x", "c", "-o", "/dev/null", "-"], {
      input: "int main(void){return 0;}",
      stdio: ["pipe", "ignore", "ignore"],
    });
    return undefined;
  } catch {
    return "clang with lld, wasi-libc and libclang-rt-14-dev-wasm32";
  }
}

/** Compiles NAME.c to `out` for wasm32-wasi or this machine. */
export function compileC(name: string, out: string, target: "wasm" | "native"): void {
  const flags = target === "wasm" ? ["--target=wasm32-wasi"] : [];
  execFileSync("clang", [...flags, "-O1", "-Wall", "-Werror", "-o", out, join(SOURCES, `${name}.c`)]);
}
