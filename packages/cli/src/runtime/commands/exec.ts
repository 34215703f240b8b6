// exec: a further process in a running container, from a process file or from flags over the container's own process.
import { mkdtempSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { LapError, parseJsonObject, type ProcessSpec, type RuntimeSpec } from "@lapstrake/base";
import {
  compileExec,
  hostFacts,
  launch,
  signalProcess,
  useFilterShelf,
  validateProcess,
  type Launched,
  type LaunchOptions,
  removeWhole,
} from "@lapstrake/core";
import { readBounded } from "../bundle.ts";
import type { Command } from "../command.ts";
import { filtersOf } from "../filters.ts";
import { isOn, numberOf, value, type FlagTable, type Parsed } from "../flags.ts";
import { relayTerminal, waitForExit } from "../relay.ts";
import { directoryOf, load, loadSpec, requireStatus, statusOf, type Kept } from "../state.ts";

const SIGKILL = 9;
const MAX_PROCESS = 16 * 1024 * 1024;

const TABLE: FlagTable = {
  flags: {
    process: "value",
    "console-socket": "value",
    "pidfd-socket": "value",
    cgroup: "list",
    "pid-file": "value",
    "preserve-fds": "value",
    cwd: "value",
    env: "list",
    user: "value",
    "additional-gids": "list",
    cap: "list",
    tty: "switch",
    detach: "switch",
    "no-new-privs": "switch",
    "ignore-paused": "switch",
  },
  short: { p: "process", e: "env", u: "user", c: "cap", t: "tty", d: "detach", g: "additional-gids" },
  restIsArgs: true,
};

function userOf(text: string, base: ProcessSpec["user"]): ProcessSpec["user"] {
  const match = /^(\d+)(?::(\d+))?$/.exec(text);
  const ids = [Number(match?.[1]), match?.[2] === undefined ? (base?.gid ?? 0) : Number(match[2])];
  if (match === null || ids.some((id) => id > 0x7fff_ffff)) {
    throw new LapError("invalidArgument", "ERR_LAP_USAGE", `--user: "${text}" is not uid or uid:gid`);
  }
  return { ...base, uid: ids[0]!, gid: ids[1]! };
}

function withCapabilities(process: ProcessSpec, caps: readonly string[]): ProcessSpec {
  if (caps.length === 0) return process;
  const own = process.capabilities ?? {};
  const add = (set: readonly string[] | undefined): string[] => [...new Set([...(set ?? []), ...caps])];
  // runc's rule: what the container's programs inherit, they keep.
  const ambient = (own.inheritable?.length ?? 0) > 0 ? { ambient: add(own.ambient) } : {};
  return {
    ...process,
    capabilities: {
      ...own,
      bounding: add(own.bounding),
      effective: add(own.effective),
      permitted: add(own.permitted),
      ...ambient,
    },
  };
}

function fromFlags(parsed: Parsed, spec: RuntimeSpec, args: readonly string[]): ProcessSpec {
  const base: ProcessSpec = spec.process ?? { cwd: "/" };
  const user = value(parsed, "user");
  const groups = (parsed.values.get("additional-gids") ?? []).map(Number);
  const process: ProcessSpec = {
    ...base,
    args,
    terminal: isOn(parsed, "tty"),
    cwd: value(parsed, "cwd") ?? base.cwd,
    env: [...(base.env ?? []), ...(parsed.values.get("env") ?? [])],
    ...(user === undefined ? {} : { user: userOf(user, base.user)! }),
    noNewPrivileges: isOn(parsed, "no-new-privs") || base.noNewPrivileges === true,
  };
  const grouped = groups.length === 0 ? process : { ...process, user: { ...process.user, additionalGids: groups } };
  return validateProcess(withCapabilities(grouped, parsed.values.get("cap") ?? []));
}

function processOf(parsed: Parsed, spec: RuntimeSpec, args: readonly string[]): ProcessSpec {
  const file = value(parsed, "process");
  const process =
    file === undefined
      ? fromFlags(parsed, spec, args)
      : validateProcess(parseJsonObject(readBounded(file), "process file", MAX_PROCESS));
  const wantsTty = process.terminal === true || isOn(parsed, "tty");
  return { ...process, terminal: wantsTty };
}

function optionsOf(parsed: Parsed, { id, bundle }: Kept, dir: string, process: ProcessSpec): LaunchOptions {
  const isDetached = isOn(parsed, "detach");
  const socket = value(parsed, "console-socket");
  const pidfdSocket = value(parsed, "pidfd-socket");
  const size = process.consoleSize;
  if (process.terminal === true && isDetached && socket === undefined) {
    throw new LapError(
      "invalidArgument",
      "ERR_LAP_USAGE",
      "cannot allocate tty if runc will detach without setting console socket",
    );
  }
  return {
    containerDir: dir,
    id,
    stdio: process.terminal === true ? "pty" : "pipes",
    openStdin: true,
    stdinOnce: true,
    log: null,
    reapArgv: [],
    foreground: !isDetached,
    initialClient: !isDetached,
    ...(size === undefined ? {} : { ttySize: { rows: size.height, cols: size.width } }),
    oci: {
      supervised: !isDetached,
      gate: false,
      bundle,
      inheritStdio: process.terminal !== true,
      preserveFds: numberOf(parsed, "preserve-fds") ?? 0,
      ...(socket === undefined ? {} : { consoleSocket: resolve(socket) }),
      ...(pidfdSocket === undefined ? {} : { pidfdSocket: resolve(pidfdSocket) }),
    },
  };
}

// A caller that cannot learn the pid cannot care for the process.
function writePidFile(path: string | undefined, launched: Launched): void {
  try {
    if (path !== undefined) writeFileSync(path, String(launched.pid));
  } catch (error) {
    signalProcess(launched.pid, undefined, SIGKILL);
    launched.attachment?.detach();
    throw error;
  }
}

export const exec: Command = {
  table: TABLE,
  async run(context, parsed) {
    const [id, ...args] = parsed.words;
    if (id === undefined) throw new LapError("invalidArgument", "ERR_LAP_USAGE", "exec needs a container's id");
    const kept = load(context.root, id);
    const allowed = isOn(parsed, "ignore-paused")
      ? (["running", "created", "paused"] as const)
      : (["running", "created"] as const);
    if (statusOf(context.root, kept) === "paused" && !allowed.some((one) => one === "paused"))
      throw new LapError("failedPrecondition", "ERR_LAP_STATE", "cannot exec in a paused container", {
        hint: "resume it, or pass --ignore-paused",
      });
    requireStatus(context.root, kept, allowed, "exec in");
    const spec = loadSpec(context.root, id);
    const process = processOf(parsed, spec, args);
    const dir = mkdtempSync(join(directoryOf(context.root, id), "exec-"));
    try {
      useFilterShelf(filtersOf(context.root));
      const subgroups = parsed.values.get("cgroup") ?? [];
      const target = { id, spec, pid: kept.pid, pidStartTime: kept.pidStartTime, subgroups };
      const launched = await launch(compileExec(target, process, hostFacts(), optionsOf(parsed, kept, dir, process)));
      writePidFile(value(parsed, "pid-file"), launched);
      const { attachment } = launched;
      if (attachment === undefined) return 0;
      const isRelayed = process.terminal === true && !parsed.values.has("console-socket");
      const exitCode = await (isRelayed ? relayTerminal(attachment) : waitForExit(attachment));
      attachment.reaped();
      return exitCode;
    } finally {
      // Its supervisor may be writing its last record there.
      removeWhole(dir);
    }
  },
};
