// A further process in a running container: the container's own spec with another program, joined instead of made.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  compileExec,
  hostFacts,
  launch,
  readStatus,
  removeWhole,
  type LaunchOptions,
  type Launched,
} from "@lapstrake/core";
import { LapError, type ProcessSpec, type RuntimeSpec } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import type { Engine } from "../engine.ts";
import { dirOf } from "../state/containers.ts";
import { layerDirs, withDirs } from "../sandbox/rootfs.ts";
import { MergedView } from "../sandbox/merged-view.ts";
import { emitContainer } from "../events/emit.ts";
import type { ContainerRecord } from "../state/record.ts";
import { CAPABILITY_FIELDS, privilegedCapabilities } from "./capabilities.ts";
import { wasmExec } from "../sandbox/wasm-exec.ts";
import { SPEC_FILE, lookUpUser } from "./bundle.ts";
import { parseSecurityOptions, seccompSpec } from "./security.ts";
import { randomHex } from "../state/random.ts";

/** What to run in the container. Absent fields are the container's own. */
export interface ExecRequest {
  readonly args: readonly string[];
  /** Added to the container's environment. */
  readonly env?: readonly string[];
  /** Absolute. */
  readonly workdir?: string;
  /** `name|uid[:group|gid]`. */
  readonly user?: string;
  readonly tty?: boolean;
  readonly openStdin?: boolean;
  readonly privileged?: boolean;
  readonly ttySize?: { readonly rows: number; readonly cols: number };
  /** Nobody is attached; the process goes on by itself. */
  readonly detach?: boolean;
  /** It is killed when the caller's connection is gone. */
  readonly leashed?: boolean;
}

/** A process added to a container; dispose to forget its record. */
export interface ExecProcess extends Disposable {
  readonly launched: Launched;
  /** A person's keys ended the connection: the process goes on, and whoever supervises it forgets its record. */
  detached(): void;
}

/** Starts the process. Throws `ERR_LAP_NOT_RUNNING`, `ERR_LAP_PAUSED` and launch errors. */
export async function execContainer(
  engine: Engine,
  record: ContainerRecord,
  request: ExecRequest,
): Promise<ExecProcess> {
  const { state } = engine.status(record);
  if (state !== "running") throw notRunning(record, state);
  const dir = engine.dir(record);
  const spec = withKnownFilter(record, JSON.parse(readFileSync(join(dir, SPEC_FILE), "utf8")) as RuntimeSpec);
  const execId = randomHex(32);
  const execDir = join(dir, "exec", execId);
  const say = (action: string, more: Readonly<Record<string, string>> = {}): void =>
    emitContainer(engine.context, record, action, { execID: execId, ...more });
  const [program = "", ...rest] = request.args;
  const words = `${program} ${rest.join(" ")}`;
  mkdirSync(execDir, { recursive: true, mode: 0o710 });
  let isDetached = request.detach === true;
  const forget = (): void => removeWhole(execDir);
  say(`exec_create: ${words}`);
  say(`exec_start: ${words}`);
  try {
    const process =
      record.kind === "wasm"
        ? wasmExec(engine.context, record, spec.process!, request)
        : execProcess(engine, record, spec.process!, request);
    const orders = execOrders(engine.context, record, request, execId, execDir);
    const launched = await startExec(engine, record, spec, process, orders);
    const { attachment } = launched;
    void attachment?.exited.then(({ exitCode }) => {
      say("exec_die", { exitCode: String(exitCode) });
      attachment.reaped();
    });
    return {
      launched,
      detached() {
        isDetached = true;
        say("exec_detach");
      },
      [Symbol.dispose]: () => void (isDetached || forget()),
    };
  } catch (error) {
    forget();
    throw error;
  }
}

/** The supervisor's orders. */
function execOrders(
  { reapArgv }: EngineContext,
  { id }: ContainerRecord,
  request: ExecRequest,
  execId: string,
  execDir: string,
): LaunchOptions {
  return {
    containerDir: execDir,
    id,
    stdio: request.tty === true ? "pty" : "pipes",
    openStdin: request.openStdin ?? false,
    stdinOnce: true,
    log: null,
    // For one that is detached, or whose client is killed.
    reapArgv: [...reapArgv, id, execId],
    foreground: request.detach !== true,
    initialClient: request.detach !== true,
    ...(request.leashed === true ? { leashed: true } : {}),
    attach: { stdin: request.openStdin ?? false, stdout: true, stderr: true },
    ...(request.ttySize === undefined ? {} : { ttySize: request.ttySize }),
  };
}

async function startExec(
  engine: Engine,
  record: ContainerRecord,
  spec: RuntimeSpec,
  process: ProcessSpec,
  orders: LaunchOptions,
): Promise<Launched> {
  const dir = engine.dir(record);
  if (record.runtime !== undefined) {
    const { execOther } = await import("../sandbox/other-runtime-exec.ts");
    return execOther(record, dir, spec, process, orders, engine.context.logger);
  }
  const { pid, pidStartTime } = readStatus(dir)!;
  return launch(compileExec({ id: record.id, spec, pid, pidStartTime }, process, hostFacts(), orders));
}

/** The default filter as the object that core knows: one out of a file is found by its hash, and node:crypto costs 4 ms to load. */
function withKnownFilter({ request }: ContainerRecord, spec: RuntimeSpec): RuntimeSpec {
  const { seccomp } = spec.linux ?? {};
  const isDefault = parseSecurityOptions(request.securityOpt ?? []).seccomp === "default";
  const bounding = spec.process?.capabilities?.bounding;
  if (seccomp === undefined || !isDefault || bounding === undefined) return spec;
  return { ...spec, linux: { ...spec.linux, seccomp: seccompSpec("default", bounding, false)! } };
}

/** After a detached process: its end is told, its record forgotten. */
export function reapExec(context: EngineContext, record: ContainerRecord, execId: string): void {
  const dir = join(dirOf(context.paths, record), "exec", execId);
  const status = readStatus(dir);
  if (status === undefined) return;
  emitContainer(context, record, "exec_die", { execID: execId, exitCode: String(status.exitCode) });
  removeWhole(dir);
}

function execProcess(engine: Engine, record: ContainerRecord, own: ProcessSpec, request: ExecRequest): ProcessSpec {
  const merged = new Map((own.env ?? []).map((line) => [line.split("=", 1)[0]!, line]));
  for (const line of request.env ?? []) merged.set(line.split("=", 1)[0]!, line);
  if (request.tty === true && !merged.has("TERM")) merged.set("TERM", "TERM=xterm");
  const user = request.user === undefined ? own.user : userSpec(engine, record, request.user);
  const capabilities = request.privileged === true ? privilegedCapabilities() : own.capabilities;
  const isRoot = (user?.uid ?? 0) === 0;
  return {
    ...own,
    terminal: request.tty ?? false,
    args: request.args,
    env: [...merged.values()],
    cwd: request.workdir ?? own.cwd,
    ...(user === undefined ? {} : { user }),
    ...(capabilities === undefined
      ? {}
      : { capabilities: isRoot ? capabilities : { ...capabilities, ...CAPABILITY_FIELDS } }),
  };
}

function userSpec(engine: Engine, record: ContainerRecord, user: string): ProcessSpec["user"] {
  const dirs = layerDirs(engine.context.paths, record);
  return withDirs(dirs, (open) => lookUpUser(user, record.request.groupAdd ?? [], new MergedView(open))).spec;
}

function notRunning(record: ContainerRecord, state: string): LapError {
  if (state === "paused") {
    return new LapError(
      "conflict",
      "ERR_LAP_PAUSED",
      `Container ${record.id} is paused, unpause the container before exec`,
    );
  }
  return new LapError("conflict", "ERR_LAP_NOT_RUNNING", `Container ${record.id} is not running`);
}
