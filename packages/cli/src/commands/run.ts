// `lap run` and `lap create`.
import { writeFileSync } from "node:fs";
import { LapError, errorCode, familiarReference, parseReference } from "@lapstrake/base";
import {
  DEBUG_STAGES,
  type ContainerRecord,
  type CreateRequest,
  type DebugSink,
  type DebugStage,
  type Engine,
} from "@lapstrake/engine";
import { readFlags } from "../args/parse.ts";
import type { Command, FlagValues, Invocation } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { err, out } from "../output/print.ts";
import { foreground } from "../terminal/session.ts";
import { CREATE_FLAGS, createRequest } from "./run-flags.ts";

export const createCommand: Command = {
  name: "create",
  usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
  summary: "Create a new container",
  aliases: ["lap container create", "lap create"],
  minArgs: 1,
  maxArgs: Infinity,
  interspersed: false,
  errorExitCode: 125,
  flags: CREATE_FLAGS,
  async run({ flags, args, global }) {
    const engine = engineFor(global);
    const record = await createNamed(engine, flags, args, false);
    out(`${record.id}\n`);
    return 0;
  },
};

export const runCommand: Command = {
  ...createCommand,
  name: "run",
  summary: "Create and run a new container from an image",
  aliases: ["lap container run", "lap run"],
  flags: [
    ...CREATE_FLAGS,
    {
      long: "debug",
      kind: "string",
      valueName: "stages",
      help: "Show stages of the start: spec, plan, facts (comma separated)",
    },
    { long: "detach", short: "d", kind: "bool", help: "Run container in background and print container ID" },
    { long: "detach-keys", kind: "string", help: "Override the key sequence for detaching a container" },
    { long: "sig-proxy", kind: "bool", help: "Proxy received signals to the process (default true)" },
  ].toSorted((a, b) => (a.long < b.long ? -1 : 1)) as Command["flags"],
  run: runContainer,
};

async function runContainer({ flags, args, global }: Invocation): Promise<number> {
  const read = readFlags(flags);
  const debug = debugSink(read.text("debug"));
  const detach = read.bool("detach");
  checkTerminal(flags, detach);
  const engine = engineFor(global);
  const record = await createNamed(engine, flags, args, true);
  if (detach) return runDetached(engine, record, debug);
  return foreground(engine, record, {
    stdin: read.bool("interactive") && record.request.attach?.includes("stdin") === true,
    stdout: record.request.attach?.includes("stdout") === true,
    stderr: record.request.attach?.includes("stderr") === true,
    detachKeys: read.text("detach-keys"),
    sigProxy: !read.has("sig-proxy") || read.bool("sig-proxy"),
    debug,
    removeOnFailure: true,
  });
}

async function runDetached(engine: Engine, record: ContainerRecord, debug: DebugSink | undefined): Promise<number> {
  try {
    await engine.start(record, {}, debug);
  } catch (error) {
    if (record.autoRemove) await engine.remove(record, { force: true });
    else out(`${record.id}\n`);
    throw error;
  }
  out(`${record.id}\n`);
  return 0;
}

async function createNamed(
  engine: Engine,
  flags: FlagValues,
  args: readonly string[],
  transient: boolean,
): Promise<ContainerRecord> {
  const request = createRequest(flags, args);
  const mounts = readFlags(flags).list("mount");
  const full =
    mounts.length === 0 ? request : { ...request, mounts: (await import("./mount-flag.ts")).mountRequests(mounts) };
  const record = await createPulling(engine, full, flags, transient);
  const cidfile = readFlags(flags).text("cidfile");
  if (cidfile === undefined) return record;
  try {
    writeFileSync(cidfile, record.id, { flag: "wx" });
  } catch (cause) {
    await engine.remove(record);
    const text =
      errorCode(cause) === "EEXIST"
        ? "container ID file found, make sure the other container isn't running or delete"
        : "failed to create the container ID file:";
    throw new LapError("conflict", "ERR_LAP_FILE", `${text} ${cidfile}`, { cause });
  }
  return record;
}

type PullPolicy = "always" | "missing" | "never";

function pullPolicy(flags: FlagValues): PullPolicy {
  const policy = readFlags(flags).text("pull") ?? "missing";
  if (policy === "always" || policy === "missing" || policy === "never") return policy;
  throw new LapError(
    "invalidArgument",
    "ERR_LAP_CONFLICTING_OPTIONS",
    `invalid pull option: '${policy}': must be one of "always", "missing" or "never"`,
  );
}

/** Creates; an image that is missing is pulled first, as `--pull` says. */
async function createPulling(
  engine: Engine,
  request: CreateRequest,
  flags: FlagValues,
  transient: boolean,
): Promise<ContainerRecord> {
  const policy = pullPolicy(flags);
  if (policy === "always" && request.image !== "host") await pullFor(engine, request, flags);
  try {
    return await engine.create(request, { transient });
  } catch (error) {
    if (!(error instanceof LapError) || (error.code !== "ERR_LAP_NO_IMAGE" && error.code !== "ERR_LAP_NO_PLATFORM"))
      throw error;
    if (policy === "never")
      throw new LapError("notFound", error.code, `No such image: ${request.image}`, { cause: error });
    err(`Unable to find image '${familiarReference(parseReference(request.image))}' locally\n`);
  }
  await pullFor(engine, request, flags);
  return engine.create(request, { transient });
}

async function pullFor(engine: Engine, request: CreateRequest, flags: FlagValues): Promise<void> {
  const { pullForRun } = await import("./pull-image.ts");
  await pullForRun(engine, request.image, request.platform, readFlags(flags).bool("quiet"));
}

function checkTerminal(flags: FlagValues, detach: boolean): void {
  const read = readFlags(flags);
  if (read.bool("tty") && read.bool("interactive") && !detach && !process.stdin.isTTY) {
    throw new LapError("invalidArgument", "ERR_LAP_NOT_A_TTY", "the input device is not a TTY");
  }
}

function debugSink(text: string | undefined): DebugSink | undefined {
  if (text === undefined) return undefined;
  const stages = text.split(",");
  for (const stage of stages) {
    if (!(DEBUG_STAGES as readonly string[]).includes(stage)) {
      throw new LapError("invalidArgument", "ERR_LAP_FLAG_VALUE", `unknown stage "${stage}" for --debug`, {
        hint: `stages are ${DEBUG_STAGES.join(", ")}`,
      });
    }
  }
  return {
    stages: new Set(stages as DebugStage[]),
    show: (stage, body) => err(`--- ${stage}\n${body.trimEnd()}\n`),
  };
}
