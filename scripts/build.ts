// `pnpm build`: native parts, the bundles of the command lines, and dist/ with declarations for every library package.
// `pnpm build ROOM…` builds only those libraries. `--cli` stops after native parts and bundles (what `pnpm demo` and the kernel tests run); `--quiet` prints failures only.
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pid } from "node:process";
import { parseArgs } from "node:util";
import type { InputOptions, OutputChunk, OutputOptions } from "rolldown";
import { HEAVY } from "../test/arch/rooms.ts";
import { builtUrls, bundle, plainExports, renamedUrls, staticClosure } from "./bundle.ts";
import { lazyBuiltins } from "./lazy-builtins.ts";
import { must, ROOT, run, say, tool } from "./run.ts";
import { publishablePackages, type Package } from "./workspace.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quiet: { type: "boolean", default: false }, cli: { type: "boolean", default: false } },
});

/** Command lines and the source each starts from; a bundle is dist/NAME.cjs of the cli package. */
const BINARIES: readonly { readonly name: string; readonly source: string }[] = [
  { name: "lap", source: "src/lap.ts" },
  { name: "lap-runtime", source: "src/lap-runtime.ts" },
];

/** Built apart with one file for what its commands load: most of what `lap` loads at start is nothing to it. */
const RUNTIME = "lap-runtime";

/** The program in a Wasm container's sandbox. */
const PAYLOAD = "lap-wasm";

/** Stay outside the bundles: found in node_modules at run time, and only by the commands that need them. */
const EXTERNAL_OF_BUNDLES: readonly RegExp[] = [/^@bytecodealliance\//, /^koffi/, /^@koromix\//, /^memfs/];

function report(line: string): void {
  if (!values.quiet) say(line);
}

/** Replaces `folder` by what `fill` writes, in one step, so that a running command never sees half a build. */
async function replaceFolder(folder: string, fill: (fresh: string) => Promise<void>): Promise<void> {
  const fresh = `${folder}.new-${pid}`;
  const old = `${folder}.old-${pid}`;
  try {
    await fill(fresh);
    if (existsSync(folder)) renameSync(folder, old);
    renameSync(fresh, folder);
  } finally {
    for (const left of [fresh, old]) rmSync(left, { recursive: true, force: true });
  }
}

/** What NAME.cjs begins with: it loads NAME-main.cjs with code compiled earlier; docs/adr/0023. */
const WARM_START = "packages/cli/src/start/warm.ts";

const mainOf = (name: string): string => `${name}-main.cjs`;

/** The bundle that a person waits for may not load what costs tens of milliseconds. */
function checkBudgetOf(name: string, chunks: readonly OutputChunk[]): void {
  const heavy = [...staticClosure(chunks, mainOf(name))].filter((file) => HEAVY.test(file));
  if (heavy.length > 0) throw new Error(`${name} loads ${heavy.join(", ")} at start`);
}

/** Modules that `lap` loads before it knows its command, but for those of the entry itself. */
function hotModules(chunks: readonly OutputChunk[]): Set<string> {
  const files = staticClosure(chunks, mainOf("lap"));
  return new Set(
    chunks
      .filter(({ fileName }) => files.has(fileName) && fileName !== mainOf("lap"))
      .flatMap(({ moduleIds }) => moduleIds),
  );
}

async function buildBinaries(): Promise<void> {
  const folder = join(ROOT, "packages/cli");
  const present = BINARIES.filter(({ source }) => existsSync(join(folder, source)));
  for (const { name, source } of BINARIES.filter((binary) => !present.includes(binary))) {
    say(`build: ${name} not bundled, packages/cli/${source} does not exist yet`);
  }
  if (present.length === 0) return;
  const names = present.map(({ name }) => name);
  const inputOf = (wanted: readonly string[]): Record<string, string> =>
    Object.fromEntries(
      present.filter(({ name }) => wanted.includes(name)).map(({ name, source }) => [name, join(folder, source)]),
    );
  const input = inputOf(names.filter((name) => name !== RUNTIME));
  const external = [...EXTERNAL_OF_BUNDLES];
  await replaceFolder(join(folder, "dist"), async (fresh) => {
    const options = {
      input,
      external,
      transform: { target: "node24" },
      plugins: [builtUrls, lazyBuiltins, plainExports],
    };
    const files = { entryFileNames: mainOf("[name]"), chunkFileNames: "chunks/[name]-[hash].cjs" };
    const output = { dir: fresh, format: "cjs", ...files } as const;
    const first = await bundle(options, output);
    checkBudgetOf("lap", first);
    // Every file that is found, read and compiled at start costs a third of a millisecond: what `lap run` loads becomes one.
    const hot = hotModules(first);
    rmSync(fresh, { recursive: true });
    const groups = [{ name: "hot", test: (id: string): boolean => hot.has(id) }];
    checkBudgetOf("lap", await bundle(options, { ...output, codeSplitting: { groups } }));
    // Built apart: what it shares with `lap` would be that one large file.
    await bundle({ ...options, input: { [PAYLOAD]: join(folder, `src/${PAYLOAD}.ts`) } }, output);
    if (names.includes(RUNTIME)) await buildRuntime({ ...options, input: inputOf([RUNTIME]) }, output);
    await writeStarts(fresh, [...names, PAYLOAD]);
  });
}

/** The modules that a command of lap-runtime loads become one file; the rest stays lazy. */
async function buildRuntime(options: InputOptions, output: OutputOptions): Promise<void> {
  const trial = `${String(output.dir)}-trial`;
  const chunks = await bundle(options, { ...output, dir: trial });
  rmSync(trial, { recursive: true });
  const run = chunks.find(({ moduleIds }) => moduleIds.some((id) => id.endsWith("/runtime/commands/run.ts")));
  if (run === undefined) throw new Error("lap-runtime has no chunk for its command run");
  const entry = mainOf(RUNTIME);
  const files = new Set([...staticClosure(chunks, run.fileName), ...staticClosure(chunks, entry)]);
  const own = chunks.filter(({ fileName }) => files.has(fileName) && fileName !== entry);
  const ids = new Set(own.flatMap(({ moduleIds }) => moduleIds));
  const groups = [{ name: "runtime", test: (id: string): boolean => ids.has(id) }];
  checkBudgetOf(RUNTIME, await bundle(options, { ...output, codeSplitting: { groups } }));
}

/** One file per command line: the loader and the name of what it loads. */
async function writeStarts(dist: string, names: readonly string[]): Promise<void> {
  const loader = { input: { start: join(ROOT, WARM_START) }, transform: { target: "node24" } };
  await bundle(loader, { dir: dist, format: "cjs", entryFileNames: "[name].cjs" });
  const text = readFileSync(join(dist, "start.cjs"), "utf8");
  rmSync(join(dist, "start.cjs"));
  for (const name of names) {
    // In its sandbox the payload can write nothing; `--warm` is its run outside.
    const writes = name === PAYLOAD ? 'process.argv[3] === "--warm"' : "true";
    writeFileSync(join(dist, `${name}.cjs`), `${text}start(__dirname, "${mainOf(name)}", ${writes});\n`);
  }
  for (const name of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
    if (name.endsWith(".cjs")) toAscii(join(dist, name));
  }
}

/** Letters outside ASCII become escapes: V8 keeps a byte for each character, and the loader need not decode. */
function toAscii(file: string): void {
  const escape = (letter: string): string => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
  // eslint-disable-next-line no-control-regex
  writeFileSync(file, readFileSync(file, "utf8").replaceAll(/[^\0-\x7f]/g, escape));
}

/** Declarations name their neighbours by source; consumers get the built names. */
function renameSpecifiers(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".d.ts")) continue;
    const file = join(folder, name);
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replaceAll(/((?:from|import)\s*\(?\s*"\.[^"]*)\.ts"/g, '$1.js"'));
  }
}

/** A tsconfig of its own per package, or declarations of neighbours would land in its dist/. */
async function emitDeclarations(folder: string, outDir: string): Promise<void> {
  const config = join(folder, `tsconfig.build-${pid}.json`);
  const compilerOptions = { noEmit: false, emitDeclarationOnly: true, outDir, rootDir: join(folder, "src") };
  const exclude = ["src/**/*.test.ts", "src/**/testing/**", "src/**/testing.ts"];
  writeFileSync(
    config,
    JSON.stringify({ extends: "../../tsconfig.json", compilerOptions, include: ["src/**/*.ts"], exclude }),
  );
  try {
    await must(tool("tsc"), ["-p", config]);
  } finally {
    rmSync(config);
  }
  renameSpecifiers(outDir);
}

/** dist/ mirrors src/ file by file, so what a module says of its neighbours (`import.meta.url`) stays true. */
async function buildLibrary({ folder, manifest }: Package): Promise<void> {
  const src = join(folder, "src");
  const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((name) => isSource(name));
  const input = Object.fromEntries(files.map((name) => [name.replace(/\.ts$/, ""), join(src, name)]));
  // Other packages stay imports; the helper that `using` is lowered to becomes a file of ours.
  const external = (id: string): boolean => !/^(?:[./\0]|@oxc-project\/runtime)/.test(id);
  await replaceFolder(join(folder, "dist"), async (fresh) => {
    await bundle(
      { input, external, transform: { target: "es2022" }, plugins: [renamedUrls] },
      { dir: fresh, entryFileNames: "[name].js", preserveModules: true, preserveModulesRoot: src },
    );
    await emitDeclarations(folder, fresh);
  });
  report(`build: ${manifest.name}`);
}

/** Tests and what only they use (`testing/`, `testing.ts`) are not shipped. */
function isSource(name: string): boolean {
  return name.endsWith(".ts") && !name.endsWith(".test.ts") && !/(?:^|\/)testing(?:\/|\.ts$)/.test(name);
}

async function buildNative(): Promise<void> {
  const { code, output } = await run(process.execPath, ["native/build.mjs", "--optional"]);
  if (output.trim() !== "" && (!values.quiet || code !== 0)) say(output.trimEnd());
  if (code !== 0) throw new Error(`native/build.mjs exited ${code}`);
}

async function main(): Promise<void> {
  const started = performance.now();
  const libraries = publishablePackages().filter(({ manifest }) => manifest.exports !== undefined);
  const rooms = libraries.filter(({ folder }) => positionals.length === 0 || positionals.includes(basename(folder)));
  if (positionals.length === 0) {
    await buildNative();
    await buildBinaries();
  }
  if (!values.cli) for (const room of rooms) await buildLibrary(room);
  report(`build: done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

await main().catch((error: unknown) => {
  say(`build: ${(error as Error).message}`);
  process.exitCode = 1;
});
