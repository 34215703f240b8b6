// Hooks of the spec as operations: those of the runtime namespace wait for the caller (sync), those of the container's
// namespace are run by the first process itself. config.md "POSIX-platform Hooks".
import type { HookSpec, HooksSpec } from "@lapstrake/base";
import type { PlanOp } from "./types.ts";

/** Stage number of the wait for prestart and createRuntime hooks, and for what the caller does meanwhile. */
export const SYNC_CREATE_RUNTIME = 0;

function hookOp(hook: HookSpec, status: string, inherited: readonly string[] = []): PlanOp {
  const { path, args, env, timeout } = hook;
  const argv = args === undefined || args.length === 0 ? [path] : args;
  return { op: "hook", path, args: argv, env: env ?? inherited, timeout: timeout ?? 0, status };
}

/** Before pivot_root: wait for the caller (its hooks, its own work), then createContainer's. [] when there is nothing to wait for. */
export function createHookOps(hooks: HooksSpec, awaitCaller = false): PlanOp[] {
  const own = (hooks.createContainer ?? []).map((hook) => hookOp(hook, "creating"));
  const callers = [...(hooks.prestart ?? []), ...(hooks.createRuntime ?? [])];
  const later = hooks.startContainer ?? [];
  if (own.length + callers.length + later.length === 0 && !awaitCaller) return [];
  return [{ op: "sync", stage: SYNC_CREATE_RUNTIME }, ...own];
}

/** Between gate and exec; a hook that names no environment has the program's, as under runc. */
export function startHookOps(hooks: HooksSpec, env?: readonly string[]): PlanOp[] {
  return (hooks.startContainer ?? []).map((hook) => hookOp(hook, "created", env));
}
