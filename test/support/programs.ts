// Programs of this machine with the libraries they need, for images that tests and the demo make without a download.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

/** Files of dynamically linked programs: the programs, their interpreter and libraries, by their absolute paths. Throws for a missing one. */
export function programFiles(programs: readonly string[]): string[] {
  const files = new Set<string>();
  for (const program of programs) {
    files.add(program);
    const { stdout, status } = spawnSync("ldd", [program], { encoding: "utf8" });
    if (status !== 0) continue; // static programs need nothing else
    for (const match of stdout.matchAll(/(\/[^\s()]+)/g)) files.add(match[1]!);
  }
  return [...files];
}

/** Copies files into `root` under their own paths, links resolved. */
export function copyFiles(root: string, files: readonly string[]): void {
  for (const file of files) {
    mkdirSync(join(root, dirname(file)), { recursive: true });
    cpSync(realpathSync(file), join(root, file), { preserveTimestamps: true });
  }
}
