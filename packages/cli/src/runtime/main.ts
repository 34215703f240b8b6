// From argv to a command: global flags, the command's own, one place that tells errors. A failure is exit code 1, of exec 255 (runc's).
import { isLapError, LapError } from "@lapstrake/base";
import { VERSION } from "../version.ts";
import type { Command } from "./command.ts";
import { contextOf, tellDebug, tellError, type RuntimeContext } from "./context.ts";
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
  events: async () => (await import("./commands/events.ts")).events,
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

const MAX_MESSAGE = 2000;

// One line, whatever the config says: a terminal or a log must not take it for more (or for commands).
function oneLine(text: string): string {
  const cut = text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE)}…` : text;
  // eslint-disable-next-line no-control-regex
  return cut.replaceAll(/[\0-\x1f\x7f-\x9f]/g, (letter) => `\\x${letter.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

function messageOf(error: unknown): string {
  return oneLine(rawMessage(error));
}

function rawMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isStart = isLapError(error) && (error.code === "ERR_LAP_LAUNCH" || error.code.startsWith("ERR_LAP_EXEC_"));
  return isStart ? `unable to start container process: ${error.message}` : error.message;
}

function helpOf(name: string, { table }: Command): string {
  const flags = Object.entries(table.flags).map(([flag, kind]) => ` [--${flag}${kind === "switch" ? "" : " VALUE"}]`);
  return `usage: lap-runtime [GLOBAL FLAGS] ${name}${flags.join("")} ARGUMENTS\n`;
}

function wantsHelp(args: readonly string[]): boolean {
  return args.length === 1 && (args[0] === "--help" || args[0] === "-h");
}

async function dispatch(context: RuntimeContext, rest: readonly string[]): Promise<number> {
  const [name, ...args] = rest;
  const loader = name !== undefined && Object.hasOwn(LOADERS, name) ? LOADERS[name] : undefined;
  if (loader === undefined)
    throw new LapError("invalidArgument", "ERR_LAP_USAGE", `unknown command ${JSON.stringify(name ?? "")}`);
  const command = await loader();
  if (wantsHelp(args)) {
    process.stdout.write(helpOf(name!, command));
    return 0;
  }
  tellDebug(context, `lap-runtime ${VERSION}: ${rest.join(" ")}`);
  return await command.run(context, parseFlags(args, command.table));
}

/** Runs one command line; the exit code. */
export async function runRuntime(argv: readonly string[]): Promise<number> {
  let context: RuntimeContext = { root: "", log: undefined, logFormat: "text", debug: false };
  let command: string | undefined;
  try {
    const flags = parseFlags(argv, GLOBAL, true);
    if (isOn(flags, "version")) {
      process.stdout.write(`lap-runtime version ${VERSION}\nspec: 1.3.0\n`);
      return 0;
    }
    if (isOn(flags, "help") || flags.rest.length === 0) {
      process.stdout.write(USAGE);
      return 0;
    }
    context = contextOf(flags);
    refuseManager(flags);
    command = flags.rest[0];
    return await dispatch(context, flags.rest);
  } catch (error) {
    tellError(context, messageOf(error));
    if (context.debug && error instanceof Error) process.stderr.write(`${error.stack ?? ""}\n`);
    // runc's: an exec that never ran is not a program that ended with 1.
    return command === "exec" ? 255 : 1;
  }
}
