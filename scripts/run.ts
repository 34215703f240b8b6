// Child processes of the root scripts: quiet while they succeed, whole output when they fail.
import { spawn } from "node:child_process";
import { join } from "node:path";

/** Root of the clone, absolute. */
export const ROOT: string = join(import.meta.dirname, "..");

/** How a command ended; `output` interleaves stdout and stderr. */
export interface Outcome {
  readonly code: number;
  readonly output: string;
  readonly seconds: number;
}

/** Options of {@link run}: where, with which extra environment, and after how long to give up. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** Runs a command to its end; never rejects for an exit code, a missing program counts as 127. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const started = performance.now();
  const child = spawn(command, args, {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: options.timeoutMs ?? 300_000,
    killSignal: "SIGKILL",
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    const finish = (code: number): void =>
      resolve({ code, output: Buffer.concat(chunks).toString(), seconds: (performance.now() - started) / 1000 });
    child.once("error", (error) => {
      chunks.push(Buffer.from(`${error.message}\n`));
      finish(127);
    });
    child.once("close", (code) => finish(code ?? 137));
  });
}

/** Runs a command and throws with its whole output when it fails. */
export async function must(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, output } = await run(command, args, options);
  if (code !== 0) throw new Error(`${[command, ...args].join(" ")} exited ${code}\n${output}`);
  return output;
}

/** Path of a tool of the clone's own node_modules. */
export function tool(name: string): string {
  return join(ROOT, "node_modules/.bin", name);
}

/** Prints one line. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
