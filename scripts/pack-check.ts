// `pnpm pack:check`: what a stranger gets. Builds, packs, installs the tarballs into an empty folder with scripts off,
// type-checks an import of every entry point, loads each of them, and runs an example and the installed `lap`.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packAll, type Packed } from "./pack.ts";
import { must, ROOT, say, tool } from "./run.ts";
import { publishablePackages } from "./workspace.ts";

const specifiers = publishablePackages().flatMap(({ entries }) => entries.map(({ specifier }) => specifier));

/** The oldest Node that base, layers and wasm promise; the engine and the command line need 24. */
const OLDEST_NODE = "22.15.0";
const ON_OLDEST = /^@lapstrake\/(?:base|layers|wasm)(?:\/|$)/;

interface Dev {
  readonly devDependencies: Readonly<Record<string, string>>;
}

function manifestOf(packed: readonly Packed[]): string {
  const tarballs = packed.map(({ name, file }) => [name, `file:${file}`] as const);
  const { devDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Dev;
  // What the user brings: the peer of an entry point, and the types of Node.
  const own = ["memfs", "@types/node"].map((name) => [name, devDependencies[name]] as const);
  const oldest = ["node-oldest", `npm:node-linux-${process.arch}@${OLDEST_NODE}`] as const;
  const dependencies = Object.fromEntries([...tarballs, ...own, oldest]);
  return JSON.stringify({ name: "stranger", version: "1.0.0", private: true, type: "module", dependencies });
}

function importAll(): string {
  const imports = specifiers.map((specifier, index) => `import * as entry${index} from "${specifier}";`);
  return `${imports.join("\n")}\nexport const all: object[] = [${specifiers.map((_, index) => `entry${index}`).join(", ")}];\n`;
}

async function step(name: string, work: () => Promise<unknown>): Promise<void> {
  const started = performance.now();
  await work();
  say(`ok   ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}

/** Types are checked down to the declarations: no skipLibCheck. */
async function typeCheck(folder: string): Promise<void> {
  writeFileSync(join(folder, "imports.ts"), importAll());
  const strict = ["--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "false", "--types", "node"];
  const modules = ["--module", "nodenext", "--target", "esnext", "--lib", "esnext"];
  await must(tool("tsc"), ["--ignoreConfig", "--noEmit", ...modules, ...strict, "imports.ts"], { cwd: folder });
}

async function load(folder: string, node: string, names: readonly string[]): Promise<void> {
  const file = join(folder, "load.mjs");
  writeFileSync(file, `${names.map((specifier) => `await import("${specifier}");`).join("\n")}\n`);
  await must(node, [file], { cwd: folder, timeoutMs: 30_000 });
}

async function runExample(folder: string, node: string): Promise<void> {
  cpSync(join(ROOT, "scripts/pack-example.mjs"), join(folder, "example.mjs"));
  await must(node, ["example.mjs"], { cwd: folder, timeoutMs: 30_000 });
}

/** As a program of one's own uses the engine; for root with containers of this machine. */
async function runLibrary(folder: string): Promise<void> {
  cpSync(join(ROOT, "scripts/pack-library.mjs"), join(folder, "library.mjs"));
  const root = process.geteuid?.() === 0 ? [join(folder, "library-store")] : [];
  await must(process.execPath, ["library.mjs", ...root], { cwd: folder, timeoutMs: 30_000 });
}

/** Loads and runs what promises to work there. */
async function oldestNode(folder: string): Promise<void> {
  const node = join(folder, "node_modules/node-oldest/bin/node");
  await load(
    folder,
    node,
    specifiers.filter((specifier) => ON_OLDEST.test(specifier)),
  );
  await runExample(folder, node);
}

/** The installed command, and for root a container of the machine's own files through the packed native parts. */
async function runLap(folder: string): Promise<void> {
  const lap = join(folder, "node_modules/.bin/lap");
  const version = await must(lap, ["--version"], { cwd: folder, timeoutMs: 30_000 });
  if (!version.includes("0.1.0")) throw new Error(`lap --version printed ${JSON.stringify(version)}`);
  if (process.geteuid?.() !== 0) return;
  const run = ["--root", join(folder, "store"), "run", "--rm", "host", "cat", "/proc/1/comm"];
  const comm = await must(lap, run, { cwd: folder, timeoutMs: 30_000 });
  if (comm !== "cat\n") throw new Error(`pid 1 of the container is ${JSON.stringify(comm)}`);
}

async function main(): Promise<void> {
  const place = mkdtempSync(join(tmpdir(), "lap-pack-"));
  const [tarballs, folder] = [join(place, "tarballs"), join(place, "stranger")];
  for (const each of [tarballs, folder]) mkdirSync(each);
  const install = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  try {
    await step("build", () => must(process.execPath, ["scripts/build.ts", "--quiet"]));
    await step("pack", async () => writeFileSync(join(folder, "package.json"), manifestOf(await packAll(tarballs))));
    await step("install without scripts", () => must("npm", install, { cwd: folder }));
    await step(`types of ${specifiers.length} entry points`, () => typeCheck(folder));
    await step("load every entry point", () => load(folder, process.execPath, specifiers));
    await step("example", () => runExample(folder, process.execPath));
    await step("library", () => runLibrary(folder));
    await step(`load and example on Node ${OLDEST_NODE}`, () => oldestNode(folder));
    await step("installed lap", () => runLap(folder));
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

await main().catch((error: unknown) => {
  say(`FAIL ${(error as Error).message}`);
  process.exitCode = 1;
});
