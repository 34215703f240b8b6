// The first file of a bundle: loads the program with the code that an earlier command already compiled, docs/adr/0023.
// Node's own compile cache keeps what a file needs to be loaded; V8 can also keep the functions that have run since, which is
// where the time of a short command goes. One file per command word holds them; written by whoever may write beside the bundle.
import { readFileSync, renameSync, writeFileSync, mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { constants, Script } from "node:vm";

/** Commands worth a cache of their own; each is one file of about half a megabyte. */
const WORDS =
  /^(?:run|exec|create|start|stop|kill|rm|ps|logs|inspect|images|cp|wait|container|build|delete|state|_reap|_wasm)$/;
/** Later runs of a command reach functions that its first did not. */
const GENERATIONS = 3;

type Require = (id: string) => unknown;
interface Loaded {
  readonly exports: unknown;
}
type Wrapper = (exports: unknown, require: Require, module: Loaded, file: string, folder: string) => void;

/** What one command's file holds: per source file, the bytes V8 made for it. */
interface Warm {
  readonly generation: number;
  readonly parts: ReadonlyMap<string, Buffer>;
}

const NOTHING: Warm = { generation: 0, parts: new Map() };

/** A line of JSON, then the bytes in its order; anything else is no cache. */
function readWarm(path: string): Warm {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    return NOTHING; // The first run, or nobody may write here.
  }
  const end = bytes.indexOf(10);
  try {
    const { generation, sizes } = JSON.parse(bytes.toString("latin1", 0, end)) as {
      readonly generation: number;
      readonly sizes: readonly (readonly [string, number])[];
    };
    let at = end + 1;
    const parts = new Map(sizes.map(([name, size]) => [name, bytes.subarray(at, (at += size))]));
    return at === bytes.length ? { generation, parts } : NOTHING;
  } catch {
    return NOTHING; // Written by another version; the next write replaces it.
  }
}

function writeWarm(folder: string, path: string, generation: number, scripts: ReadonlyMap<string, Script>): void {
  const parts = [...scripts].map(([name, script]) => [name, script.createCachedData()] as const);
  const sizes = parts.map(([name, bytes]) => [name, bytes.length]);
  const fresh = `${path}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      fresh,
      Buffer.concat([Buffer.from(`${JSON.stringify({ generation, sizes })}\n`), ...parts.map(([, bytes]) => bytes)]),
    );
    renameSync(fresh, path);
  } catch {
    // Not ours to write, or no room: the command was right all the same, only the next one is no faster.
    rmSync(fresh, { force: true });
  }
}

function keyOf(argv: readonly string[]): string {
  return argv.find((word) => WORDS.test(word)) ?? "other";
}

/** V8 refuses code compiled under other flags than its own: what the launcher gives is part of a file's name. */
function flavour(execArgv: readonly string[]): string {
  return execArgv.filter((word) => word.startsWith("--min-semi-space-size=")).join("");
}

/** Loads `entry` of the folder `dist` and what it requires of that folder; without `writes` it only uses what is there. */
export function start(dist: string, entry: string, writes: boolean): void {
  const caches = `${dist}/cache`;
  const path = `${caches}/${entry}-${keyOf(process.argv.slice(2, 6))}${flavour(process.execArgv)}`;
  const warm = readWarm(path);
  const scripts = new Map<string, Script>();
  const modules = new Map<string, Loaded>();
  const outside = createRequire(`${dist}/${entry}`) as Require;
  let rejected = false;
  const load = (name: string): Loaded => {
    const inChunks = name !== entry;
    const folder = inChunks ? `${dist}/chunks` : dist;
    const file = `${folder}/${name}`;
    const cachedData = warm.parts.get(name);
    // The build leaves nothing but ASCII in these files.
    const source = `(function(exports,require,module,__filename,__dirname){${readFileSync(file, "latin1")}\n})`;
    const importModuleDynamically = constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
    const script = new Script(source, {
      filename: file,
      importModuleDynamically,
      ...(cachedData === undefined ? {} : { cachedData }),
    });
    rejected ||= script.cachedDataRejected === true;
    scripts.set(name, script);
    const module = { exports: {} };
    modules.set(name, module);
    (script.runInThisContext() as Wrapper)(module.exports, require, module, file, folder);
    return module;
  };
  const require = function require(id: string): unknown {
    if (!id.startsWith(".")) return outside(id);
    const name = id.slice(id.lastIndexOf("/") + 1);
    return (modules.get(name) ?? load(name)).exports;
  };
  if (!writes) return void load(entry);
  process.once("exit", () => {
    const generation = rejected ? 0 : warm.generation;
    if (generation < GENERATIONS) writeWarm(caches, path, generation + 1, scripts);
  });
  load(entry);
}
