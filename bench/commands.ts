// Peers as child processes: found on PATH, run to their exit, an exit code that is not zero is an error with its output.
import { execFile, spawn, spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { env } from "node:process";
import { promisify } from "node:util";
import type { Variant } from "./harness.ts";

/** Absolute path of a program on PATH. */
export function which(name: string): string | undefined {
  const folders = (env["PATH"] ?? "").split(":").filter((folder) => folder !== "" && !folder.includes("node_modules"));
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // absent and not executable mean the same to a benchmark
  }
}

/** Start to exit of one child in milliseconds. Rejects with what it printed when it fails. */
export function startToExit(command: string, args: readonly string[], cwd?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let errors = "";
    const started = performance.now();
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], cwd, timeout: 60_000 });
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    child.once("error", reject);
    child.once("exit", (code) => {
      const elapsed = performance.now() - started;
      if (code === 0) resolve(elapsed);
      else reject(new Error(`${command} ${args.join(" ")} exited ${code}: ${errors.trim()}`));
    });
  });
}

/** Standard output of a child that measures itself. Rejects when it fails. */
export async function outputOf(command: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, { timeout: 60_000 });
  return stdout;
}

/** Runs a command of a preparation; throws with its output when it fails. */
export function prepare(command: string, args: readonly string[], input?: Uint8Array): string {
  const result = spawnSync(command, args, { input, encoding: "utf8", timeout: 120_000, maxBuffer: 1 << 26 });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) throw new Error(`${command} ${args.join(" ")} exited ${result.status}: ${result.stderr}`);
  return result.stdout;
}

/** A variant that is one command; `missing` names what keeps it from running here. */
export function commandVariant(
  name: string,
  command: string | undefined,
  args: () => readonly string[],
  missing: string | undefined,
): Variant {
  const run = (): Promise<number> => startToExit(command ?? name, args());
  if (command === undefined) return { name, missing: missing ?? "not installed", run };
  return missing === undefined ? { name, run } : { name, missing, run };
}
