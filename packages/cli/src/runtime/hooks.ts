// Hooks of the runtime namespace: run here, state on standard input (config.md "POSIX-platform Hooks").
import { spawn } from "node:child_process";
import { LapError, type HookSpec, type RuntimeState } from "@lapstrake/base";

function runHook(hook: HookSpec, what: string, state: string): Promise<void> {
  // A hook that names no environment has ours, as under runc and crun.
  const env =
    hook.env === undefined
      ? process.env
      : Object.fromEntries(
          hook.env.map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
        );
  const [argv0 = hook.path, ...args] = hook.args ?? [];
  return new Promise((resolve, reject) => {
    const child = spawn(hook.path, args, { argv0, env, stdio: ["pipe", "ignore", "pipe"] });
    const timer = hook.timeout === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), hook.timeout * 1000);
    let stderr = "";
    const fail = (why: string): void =>
      reject(new LapError("internal", "ERR_LAP_HOOK", `error running ${what}: "${hook.path}": ${why}`));
    child.stderr.on("data", (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-1000)));
    // A hook may end without reading its input.
    child.stdin.on("error", () => undefined);
    child.stdin.end(state);
    child.on("error", (error) => fail(error.message));
    child.on("exit", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve();
      else fail(`${signal === null ? `exit status ${code}` : `signal ${signal}`}, stderr: ${stderr.trim()}`);
    });
  });
}

/** Runs hooks one after the other; the first failure ends it with `ERR_LAP_HOOK`. */
export async function runHooks(
  kind: string,
  hooks: readonly HookSpec[] | undefined,
  state: RuntimeState,
): Promise<void> {
  for (const [index, hook] of (hooks ?? []).entries())
    await runHook(hook, `${kind} hook #${index}`, JSON.stringify(state));
}
