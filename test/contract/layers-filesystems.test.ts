// The filesystem contract without root: the union in memory (both modes), memfs, a directory of this machine.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DirFs } from "@lapstrake/base";
import { UnionFs, dirFsOf, mergeLayers, writeTree } from "@lapstrake/layers";
import { openMemDir } from "@lapstrake/layers/memfs";
import { openNodeDir } from "@lapstrake/layers/node";
import { lowerTrees } from "./layers-lower.ts";
import { contract, type Subject } from "./layers-suite.ts";

function union(mode: "spec" | "overlay2"): Subject {
  return subject(dirFsOf(UnionFs.create(lowerTrees(), { mode })));
}

function subject(fs: DirFs, end: () => void = () => undefined): Subject {
  return { fs, [Symbol.dispose]: end };
}

/** The merged tree, written out flat. */
function flat(dir: DirFs): DirFs {
  writeTree({ root: mergeLayers(lowerTrees()).root, hasLinks: false }, dir, { owners: false });
  return dir;
}

function hostDir(): Subject {
  const path = mkdtempSync(join(tmpdir(), "lap-contract-"));
  return subject(flat(openNodeDir(path)), () => rmSync(path, { recursive: true }));
}

const inMemory = dirFsOf(UnionFs.create([])).features;
contract("union in memory", { make: () => union("spec"), features: inMemory, renamesLowerDirs: true });
contract("union in memory, overlay2 mode", {
  make: () => union("overlay2"),
  features: inMemory,
  renamesLowerDirs: false,
});
contract("memfs", { make: () => subject(flat(openMemDir())), features: openMemDir().features, renamesLowerDirs: true });
contract("host directory", { make: hostDir, features: openNodeDir("/").features, renamesLowerDirs: true });
