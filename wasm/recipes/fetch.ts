// npm packages through the npm client, kept in a folder of the machine's temporary directory.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const TIMEOUT_MS = 120_000;

/** The tarball of an exact version; undefined when it cannot be had. */
export function packageTarball(spec: string): Uint8Array<ArrayBuffer> | undefined {
  const cache = join(tmpdir(), "lapstrake-recipes");
  const file = join(cache, `${spec.replaceAll(/[@/]/g, "_")}.tgz`);
  mkdirSync(cache, { recursive: true });
  if (!existsSync(file) && !download(spec, cache, file)) return undefined;
  return new Uint8Array(readFileSync(file));
}

function download(spec: string, cache: string, file: string): boolean {
  const dir = mkdtempSync(join(cache, "pack-"));
  try {
    execFileSync("npm", ["pack", "--silent", "--ignore-scripts", spec], {
      cwd: dir,
      timeout: TIMEOUT_MS,
      stdio: "ignore",
    });
    const [name] = readdirSync(dir).filter((entry) => entry.endsWith(".tgz"));
    if (name === undefined) return false;
    renameSync(join(dir, name), file);
    return true;
  } catch {
    // No network, no such version: the caller says what it could not make.
    return false;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
