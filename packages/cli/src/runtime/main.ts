// From argv to a command: global flags, the command's own, one place that tells errors. Every failure is exit code 1 (runc's).
import { isLapError, LapError } from "@lapstrake/base";
import { VERSION } from "../version.ts";
import type { Command } from "./command.ts";
import { contextOf, tellError, type RuntimeContext } from "./context.ts";
import { isOn, parseFlags, value, type FlagTable, type Parsed } from "./flags.ts";

const GLOBAL: FlagTable = {
  flags: {
    root: "value",
    log: "value",
    "log-format": "value",
    debug: "switch",
    "systemd-cgroup": "switch",
    "cgroup-manager": "value",
    rootless: "value",
    "no-pivot": "switch",
    version: "switch",
    help: "switch",
  },
  short: { v: "version", h: "help" },
};

const LOADERS: Readonly<Record<string, () => Promise<Command>>> = {
  create: async () => (await import("./commands/create.ts")).create,
  start: async () => (await import("./commands/lifecycle.ts")).start,
  state: async () => (await import("./commands/lifecycle.ts")).state,
  kill: async () => (await import("./commands/lifecycle.ts")).kill,
  delete: async () => (await import("./commands/lifecycle.ts")).remove,
  pause: async () => (await import("./commands/lifecycle.ts")).pause,
  resume: async () => (await import("./commands/lifecycle.ts")).resume,
  run: async () => (await import("./commands/run.ts")).run,
  exec: async () => (await import("./commands/exec.ts")).exec,
  update: async () => (await import("./commands/update.ts")).update,
  list: async () => (await import("./commands/info.ts")).list,
  ps: async () => (await import("./commands/info.ts")).ps,
  events: async () => (await import("./commands/info.ts")).events,
  spec: async () => (await import("./commands/info.ts")).spec,
  features: async () => (await import("./commands/info.ts")).features,
  checkpoint: async () => (await import("./commands/info.ts")).checkpoint,
  restore: async () => (await import("./commands/info.ts")).restore,
};

const USAGE = `usage: lap-runtime [--root DIR] [--log FILE] [--log-format text|json] [--debug] COMMAND [ARGUMENTS]
commands: ${Object.keys(LOADERS).join(" ")}
`;

function refuseManager(flags: Parsed): void {
  const manager = isOn(flags, "systemd-cgroup") ? "systemd" : (value(flags, "cgroup-manager") ?? "cgroupfs");
  if (manager === "cgroupfs" || manager === "disabled") return;
  throw new LapError("unimplemented", "ERR_LAP_UNSUPPORTED", `cgroup manager "${manager}" is not supported`, {
    hint: "configure the engine for cgroupfs",
  });
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isStart = isLapError(error) && (error.code === "ERR_LAP_LAUNCH" || error.code.startsWith("ERR_LAP_EXEC_"));
  return isStart ? `unable to start container process: ${error.message}` : error.message;
}

async function dispatch(context: RuntimeContext, rest: readonly string[]): Promise<number> {
  const [name, ...args] = rest;
  const loader = name !== undefined && Object.hasOwn(LOADERS, name) ? LOADERS[name] : undefined;
  if (loader === undefined)
    throw new LapError("invalidArgument", "ERR_LAP_USAGE", `unknown command ${JSON.stringify(name ?? "")}`);
  const command = await loader();
  return await command.run(context, parseFlags(args, command.table));
}

/** Runs one command line; the exit code. */
export async function runRuntime(argv: readonly string[]): Promise<number> {
  let context: RuntimeContext = { root: "", log: undefined, logFormat: "text", debug: false };
  try {
    const flags = parseFlags(argv, GLOBAL, true);
    if (isOn(flags, "version")) {
      process.stdout.write(`lap-runtime version ${VERSION}\nspec: 1.2.0\n`);
      return 0;
    }
    if (isOn(flags, "help") || flags.rest.length === 0) {
      process.stdout.write(USAGE);
      return 0;
    }
    context = contextOf(flags);
    refuseManager(flags);
    return await dispatch(context, flags.rest);
  } catch (error) {
    tellError(context, messageOf(error));
    if (context.debug && error instanceof Error) process.stderr.write(`${error.stack ?? ""}\n`);
    return 1;
  }
}
