// The packages of this workspace as the build and the packer see them: manifest, folder, entry points.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./run.ts";

/** The fields of package.json that the scripts read. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly files?: readonly string[];
  readonly exports?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** One entry point: what is written in an import, and its source relative to the package. */
export interface Entry {
  readonly specifier: string;
  readonly source: string;
  /** Built file relative to the package, without extension: `dist/index`. */
  readonly built: string;
}

/** A publishable package of the workspace. */
export interface Package {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly entries: readonly Entry[];
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}

function entriesOf(manifest: Manifest): Entry[] {
  return Object.entries(manifest.exports ?? {}).flatMap(([subpath, conditions]) => {
    const source = conditions["@lapstrake/source"];
    const built = conditions["default"];
    if (source === undefined || built === undefined) return [];
    return [{ specifier: join(manifest.name, subpath), source, built: built.replace(/\.js$/, "") }];
  });
}

/** Every package under packages/ that is not private. */
export function publishablePackages(): Package[] {
  return readdirSync(join(ROOT, "packages"))
    .map((name) => join(ROOT, "packages", name))
    .filter((folder) => existsSync(join(folder, "package.json")))
    .map((folder) => ({ folder, manifest: readManifest(folder) }))
    .filter(({ manifest }) => manifest.private !== true)
    .map(({ folder, manifest }) => ({ folder, manifest, entries: entriesOf(manifest) }));
}
