// The rooms of the house as data: who may import whom, and which dependency may be touched where.

/** Workspace packages each room may import. The command line may import everything; nobody imports it. */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  layers: ["base"],
  core: ["base"],
  wasm: ["base", "layers"],
  build: ["base", "layers"],
  engine: ["base", "layers", "core", "wasm", "build"],
  api: ["base", "engine"],
  compose: ["base", "engine"],
  vitest: ["base", "engine"],
  cli: ["base", "layers", "core", "wasm", "build", "engine", "api", "compose"],
};

/** Paths inside a room with fewer rights than the room: the OCI runtime knows nothing of images and engines. */
export const NARROWER: readonly { readonly path: RegExp; readonly rooms: readonly string[] }[] = [
  { path: /^packages\/cli\/src\/(?:lap-runtime\.ts|runtime\/)/, rooms: ["base", "core"] },
];

/** One fence: modules that match may be imported only from files that match. Tests beside the code have their own gate. */
export interface Fence {
  readonly what: string;
  readonly module: RegExp;
  readonly allowed: RegExp;
  readonly inTests: boolean;
}

/** The fences around dependencies. */
export const FENCES: readonly Fence[] = [
  { what: "koffi", module: /^(?:koffi|@koromix\/)/, allowed: /^packages\/core\/src\/sys\//, inTests: false },
  { what: "memfs", module: /^memfs(?:\/|$)/, allowed: /^packages\/layers\/src\/memfs\//, inTests: true },
  {
    what: "jco",
    module: /^@bytecodealliance\//,
    allowed: /^packages\/wasm\/src\/component(?:\.ts$|s?\/)/,
    inTests: false,
  },
  { what: "commander", module: /^commander$/, allowed: /^packages\/cli\/src\//, inTests: false },
  { what: "node:* in base", module: /^node:/, allowed: /^(?!packages\/base\/)/, inTests: true },
  {
    what: "node:* in layers",
    module: /^node:/,
    allowed: /^(?:(?!packages\/layers\/)|packages\/layers\/src\/node\/)/,
    inTests: true,
  },
];

/** Constructs that only some files may use. */
export const CONSTRUCTS: readonly { readonly construct: string; readonly allowed: RegExp }[] = [
  { construct: "default export", allowed: /^[^/]+\.config\.ts$/ },
  { construct: "export *", allowed: /^$/ },
  { construct: "enum", allowed: /^$/ },
  { construct: "console", allowed: /^(?!packages\/)|^packages\/cli\/src\// },
  { construct: "process.exit", allowed: /^(?!packages\/)|^packages\/cli\/src\// },
];

/** Where `lap run` and `lap-runtime` start, and the modules they load on every way to a running container. */
export const HOT_PATHS: readonly string[] = [
  "packages/cli/src/lap.ts",
  "packages/cli/src/commands/run.ts",
  "packages/cli/src/lap-runtime.ts",
];

/** Dependencies that cost tens of milliseconds to load, so no hot path reaches them statically. */
export const HEAVY: RegExp = /^(?:memfs|commander|@bytecodealliance\/.*|koffi)(?:\/|$)/;

/** Lines a source file may have; beyond it nobody split by concern. */
export const MAX_LINES: number = 500;
