// `pnpm build`: native parts, the bundles of the command lines, and dist/ with declarations for every library package.
// `--cli` stops after native parts and bundles (what `pnpm demo` and the kernel tests run); `--quiet` prints failures only.
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pid } from "node:process";
import { rolldown, type InputOptions } from "rolldown";
import { must, ROOT, run, say, tool } from "./run.ts";
import { publishablePackages, type Package } from "./workspace.ts";

const QUIET = process.argv.includes("--quiet");
const CLI_ONLY = process.argv.includes("--cli");

/** Command lines and the source each starts from; a bundle is dist/NAME.mjs of the cli package. */
const BINARIES: readonly { readonly name: string; readonly source: string }[] = [
  { name: "lap", source: "src/lap.ts" },
  { name: "lap-runtime", source: "src/lap-runtime.ts" },
];

/** Stay outside the bundles: found in node_modules at run time, and only by the commands that need them. */
const EXTERNAL_OF_BUNDLES: readonly RegExp[] = [/^@bytecodealliance\//, /^koffi/, /^@koromix\//, /^memfs/];

function report(line: string): void {
  if (!QUIET) say(line);
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

async function bundle(input: InputOptions, dir: string, suffix: "js" | "mjs"): Promise<void> {
  await using build = await rolldown({
    platform: "node",
    resolve: { conditionNames: ["@lapstrake/source", "node", "import", "default"] },
    checks: { circularDependency: true },
    ...input,
  });
  await build.write({
    dir,
    format: "esm",
    entryFileNames: `[name].${suffix}`,
    chunkFileNames: `chunks/[name]-[hash].${suffix}`,
    minify: false,
  });
}

async function buildBinaries(): Promise<void> {
  const folder = join(ROOT, "packages/cli");
  const present = BINARIES.filter(({ source }) => existsSync(join(folder, source)));
  for (const { name, source } of BINARIES.filter((binary) => !present.includes(binary))) {
    say(`build: ${name} not bundled, packages/cli/${source} does not exist yet`);
  }
  if (present.length === 0) return;
  const input = Object.fromEntries(present.map(({ name, source }) => [name, join(folder, source)]));
  await replaceFolder(join(folder, "dist"), (fresh) =>
    bundle({ input, external: [...EXTERNAL_OF_BUNDLES], transform: { target: "node24" } }, fresh, "mjs"),
  );
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
  const exclude = ["src/**/*.test.ts"];
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

async function buildLibrary({ folder, manifest, entries }: Package): Promise<void> {
  const input = Object.fromEntries(
    entries.map(({ source, built }) => [built.replace(/^\.\/dist\//, ""), join(folder, source)]),
  );
  // Everything from a package stays an import; only the package's own files are joined.
  const external = (id: string): boolean => !id.startsWith(".") && !id.startsWith("/");
  await replaceFolder(join(folder, "dist"), async (fresh) => {
    await bundle({ input, external, transform: { target: "es2022" } }, fresh, "js");
    await emitDeclarations(folder, fresh);
  });
  report(`build: ${manifest.name}`);
}

async function main(): Promise<void> {
  const started = performance.now();
  const native = await run(process.execPath, ["native/build.mjs", "--optional"]);
  if (native.output.trim() !== "" && (!QUIET || native.code !== 0)) say(native.output.trimEnd());
  if (native.code !== 0) throw new Error(`native/build.mjs exited ${native.code}`);
  await buildBinaries();
  if (!CLI_ONLY) {
    for (const each of publishablePackages()) if (each.manifest.name !== "@lapstrake/cli") await buildLibrary(each);
  }
  report(`build: done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

await main();
