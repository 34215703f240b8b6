// Packs every publishable package, and the native parts of this machine as @lapstrake/native-linux-*, into tarballs.
// Manifests are rewritten as they would be on a registry: workspace ranges become versions, source conditions go.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { must, ROOT } from "./run.ts";
import { publishablePackages, type Manifest, type Package } from "./workspace.ts";

/** A packed tarball. */
export interface Packed {
  readonly name: string;
  readonly file: string;
}

/** npm's name of a processor, and the folder of native/out. */
const ARCHITECTURES: readonly { readonly cpu: string; readonly out: string }[] = [
  { cpu: "x64", out: "x86_64" },
  { cpu: "arm64", out: "aarch64" },
];
const NATIVE_PROGRAMS: readonly string[] = ["lap-shim", "lap-init", "lap", "lap-runtime"];
/** Find the native parts at run time. */
const USE_NATIVE: readonly string[] = ["@lapstrake/core", "@lapstrake/cli"];
/** Inside the bundles of the cli already. */
const BUNDLED = /^(?:@lapstrake\/(?!native-)|commander$)/;

type Dependencies = Readonly<Record<string, string>>;

function published(dependencies: Dependencies | undefined, version: string, drop?: RegExp): Dependencies | undefined {
  if (dependencies === undefined) return undefined;
  const kept = Object.entries(dependencies).filter(([name]) => drop?.test(name) !== true);
  return Object.fromEntries(kept.map(([name, range]) => [name, range.startsWith("workspace:") ? version : range]));
}

function withoutSource(exports: Manifest["exports"]): Manifest["exports"] {
  if (exports === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(exports).map(([subpath, conditions]) => {
      const { "@lapstrake/source": _source, ...rest } = conditions;
      return [subpath, rest];
    }),
  );
}

/** package.json as the registry should see it; an `undefined` field is left out by JSON. */
function publishedManifest(manifest: Manifest): object {
  const native = ARCHITECTURES.map(({ cpu }) => [`@lapstrake/native-linux-${cpu}`, manifest.version] as const);
  const drop = manifest.name === "@lapstrake/cli" ? BUNDLED : undefined;
  const optional = published(manifest.optionalDependencies, manifest.version, drop);
  const useNative = USE_NATIVE.includes(manifest.name) ? Object.fromEntries(native) : undefined;
  return {
    ...manifest,
    exports: withoutSource(manifest.exports),
    dependencies: published(manifest.dependencies, manifest.version, drop),
    optionalDependencies: useNative === undefined ? optional : { ...optional, ...useNative },
    devDependencies: undefined,
  };
}

async function tarball(stage: string, into: string, name: string): Promise<Packed> {
  const file = join(into, `${name.replace("@", "").replace("/", "-")}.tgz`);
  const reproducible = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
  await must("tar", [...reproducible, "-czf", file, "-C", stage, "package"]);
  rmSync(stage, { recursive: true });
  return { name, file };
}

async function packPackage({ folder, manifest }: Package, into: string): Promise<Packed> {
  const stage = join(into, "stage");
  mkdirSync(join(stage, "package"), { recursive: true });
  for (const name of [...(manifest.files ?? []), "LICENSE"]) {
    const from = name === "LICENSE" ? join(ROOT, name) : join(folder, name);
    if (!existsSync(from)) throw new Error(`${manifest.name} has no ${name}, which its package.json promises`);
    cpSync(from, join(stage, "package", name), { recursive: true });
  }
  writeFileSync(join(stage, "package/package.json"), `${JSON.stringify(publishedManifest(manifest), undefined, 2)}\n`);
  return tarball(stage, into, manifest.name);
}

async function packNative(cpu: string, out: string, into: string): Promise<Packed> {
  const stage = join(into, "stage");
  mkdirSync(join(stage, "package"), { recursive: true });
  for (const program of NATIVE_PROGRAMS) cpSync(join(out, program), join(stage, "package", program));
  cpSync(join(ROOT, "LICENSE"), join(stage, "package/LICENSE"));
  const { version, license } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Record<string, string>;
  const name = `@lapstrake/native-linux-${cpu}`;
  const description = `The compiled parts of lapstrake for Linux on ${cpu}`;
  const manifest = { name, version, description, license, os: ["linux"], cpu: [cpu], files: NATIVE_PROGRAMS };
  writeFileSync(join(stage, "package/package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  return tarball(stage, into, name);
}

/** Packs everything that is built into the existing folder `into`; native parts of the architectures that were compiled. */
export async function packAll(into: string): Promise<Packed[]> {
  const packed: Packed[] = [];
  for (const each of publishablePackages()) packed.push(await packPackage(each, into));
  for (const { cpu, out } of ARCHITECTURES) {
    const folder = join(ROOT, "native/out", out);
    if (existsSync(join(folder, "lap-shim"))) packed.push(await packNative(cpu, folder, into));
  }
  return packed;
}
