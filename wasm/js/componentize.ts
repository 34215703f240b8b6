// A JavaScript module as a component, by componentize-qjs (what jco's `componentize --backend quickjs` calls), fetched by the npm client.
//   node --conditions=@lapstrake/source wasm/js/componentize.ts wasm/js/hello.js hello.wasm && lap run hello.wasm you
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LapError } from "@lapstrake/base";

const VERSION = "0.4.5";
const TIMEOUT_MS = 120_000;

/** The command, installed in a folder of the machine's temporary directory; undefined when the package cannot be had. */
export function componentizer(): string | undefined {
  const cache = join(tmpdir(), "lapstrake-recipes");
  const folder = join(cache, `componentize-qjs-${VERSION}`);
  const command = "node_modules/componentize-qjs/bin/componentize-qjs";
  if (existsSync(join(folder, command))) return join(folder, command);
  mkdirSync(cache, { recursive: true });
  const fresh = mkdtempSync(join(cache, "install-"));
  try {
    const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
    execFileSync("npm", ["install", "--prefix", fresh, ...quiet, `componentize-qjs@${VERSION}`], {
      timeout: TIMEOUT_MS,
      stdio: "ignore",
    });
    renameSync(fresh, folder);
    return join(folder, command);
  } catch {
    // No network, or nothing for this machine: the caller says what it could not make. Or another was first.
    return existsSync(join(folder, command)) ? join(folder, command) : undefined;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Makes the component of a module that exports `run` as in command.wit, or as in a world of one's own. */
export function componentize(
  command: string,
  source: string,
  target: string,
  wit: string = join(import.meta.dirname, "command.wit"),
): void {
  const args = ["--sync", "--opt-size", "--wit", wit, "--world", "command", "--js", source, "--output", target];
  execFileSync(process.execPath, [command, ...args], { timeout: TIMEOUT_MS, stdio: ["ignore", "ignore", "inherit"] });
}

if (import.meta.main) {
  const [source, target, wit] = process.argv.slice(2);
  const command = componentizer();
  if (command === undefined)
    throw new LapError("unavailable", "ERR_LAP_RECIPE", "npm package componentize-qjs cannot be had");
  if (source === undefined || target === undefined) {
    throw new LapError("invalidArgument", "ERR_LAP_RECIPE", "usage: componentize.ts SOURCE.js TARGET.wasm [FILE.wit]");
  }
  componentize(command, source, target, wit);
}
