// The filesystem contract as root: kernel overlayfs over extracted layers, and a plain directory through the kernel's DirFs.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { openDirFs } from "@lapstrake/core";
import { mergeLayers, writeTree } from "@lapstrake/layers";
import { lowerTrees } from "../contract/layers-lower.ts";
import { contract, type Subject } from "../contract/layers-suite.ts";
import { titleUnless } from "../support/facts.ts";

const isRoot = process.getuid?.() === 0;

function overlay(): Subject {
  const base = mkdtempSync(join(tmpdir(), "lap-contract-"));
  for (const name of ["l0", "l1", "upper", "work", "merged"]) mkdirSync(join(base, name));
  for (const [i, tree] of lowerTrees().entries()) {
    using dir = openDirFs(join(base, `l${i}`));
    writeTree(tree, dir);
  }
  const options = `lowerdir=${base}/l1:${base}/l0,upperdir=${base}/upper,workdir=${base}/work,redirect_dir=off,index=off,metacopy=off`;
  execFileSync("mount", ["-t", "overlay", "-o", options, "overlay", join(base, "merged")]);
  const fs = openDirFs(join(base, "merged"));
  return {
    fs,
    [Symbol.dispose]: () => {
      fs.close();
      execFileSync("umount", [join(base, "merged")]);
      rmSync(base, { recursive: true });
    },
  };
}

function plain(): Subject {
  const base = mkdtempSync(join(tmpdir(), "lap-contract-"));
  const fs = openDirFs(base);
  writeTree({ root: mergeLayers(lowerTrees()).root, hasLinks: false }, fs);
  return {
    fs,
    [Symbol.dispose]: () => {
      fs.close();
      rmSync(base, { recursive: true });
    },
  };
}

const ALL = { beneath: true, mknod: true, xattrs: true, chown: true, nanoseconds: true, rawNames: true, durable: true };

describe.skipIf(!isRoot)(titleUnless(!isRoot, "root", "as root"), () => {
  contract("kernel overlayfs", { make: overlay, features: ALL, renamesLowerDirs: false });
  contract("kernel directory", { make: plain, features: ALL, renamesLowerDirs: true });
});
