// Programs of this machine with the libraries they need, for images that tests and the demo make without a download.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

/** ldd(1) is a shell script that starts the program's interpreter: asked once for each program. */
const known = new Map<string, readonly string[]>();

function filesOf(program: string): readonly string[] {
  const { stdout, status } = spawnSync("ldd", [program], { encoding: "utf8" });
  // Static programs need nothing else.
  const needed = status === 0 ? [...stdout.matchAll(/(\/[^\s()]+)/g)].map((match) => match[1]!) : [];
  return [program, ...needed];
}

/** Files of dynamically linked programs: the programs, their interpreter and libraries, by their absolute paths. Throws for a missing one. */
export function programFiles(programs: readonly string[]): string[] {
  for (const program of programs) if (!known.has(program)) known.set(program, filesOf(program));
  return [...new Set(programs.flatMap((program) => known.get(program)!))];
}

/** Copies files into `root` under their own paths, links resolved. */
export function copyFiles(root: string, files: readonly string[]): void {
  for (const file of files) {
    mkdirSync(join(root, dirname(file)), { recursive: true });
    cpSync(realpathSync(file), join(root, file), { preserveTimestamps: true });
  }
}
