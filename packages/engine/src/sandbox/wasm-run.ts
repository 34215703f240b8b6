// A Wasm container's run: record -> union filesystem of layers and earlier changes -> guest -> changes handed over.
// It runs without privileges in a container that shows the image blobs and its own directory; what it leaves is one layer tar.
import { existsSync } from "node:fs";
import { LapError } from "@lapstrake/base";
import { UnionFs, type InodeFs } from "@lapstrake/layers";
import type { ComponentRunner, GuestOutput, WasmExit } from "@lapstrake/wasm";
import {
  lazyComponents,
  runCommand,
  runCommandNow,
  serveFiles,
  type Payload,
  type Serving,
  type Visit,
} from "@lapstrake/wasm/node";
import type { CreateRequest } from "../containers/request.ts";
import { readRecord, type ContainerRecord } from "../state/record.ts";
import { writeHandover } from "./handover-file.ts";
import { translationsDir } from "./handover.ts";
import { filesystemLimit, guestLimits } from "./wasm-limits.ts";
import { clearEnd, noteEnd } from "./wasm-end.ts";
import { wasmChanges, wasmLowers } from "./wasm-layers.ts";
import { asksNetwork, servingPorts } from "./wasm-network.ts";
import { makeDirs } from "./wasm-tree.ts";

/** Where the container and its store are. */
export interface WasmRunData {
  readonly dir: string;
  readonly root: string;
}

/** Between the last answers and the kill of `stop`. */
const STOP_SLACK_MS = 500;
const EXIT_NOT_FOUND = 127;
const EXIT_NOT_EXECUTABLE = 126;

/** Runs the container's guest to its end and hands its changes over; resolves to the exit code. */
export async function runContainer(payload: Payload): Promise<number> {
  const { dir, root } = payload.data as WasmRunData;
  const record = readRecord(dir);
  if (record === undefined) throw new LapError("notFound", "ERR_LAP_NO_CONTAINER", `no container in "${dir}"`);
  const fs = await openUnion(root, dir, record);
  try {
    return await runGuest(fs, record, payload, { dir, cacheDir: cacheIn(root) });
  } finally {
    payload.ended?.();
    if (!record.autoRemove && !fs.readOnly) writeHandover(fs, dir);
  }
}

/** The container's filesystem: its layers, what it changed in earlier runs, and its working directory. */
async function openUnion(root: string, dir: string, record: ContainerRecord): Promise<UnionFs> {
  const lowers = await wasmLowers(root, dir, record);
  const maxBytes = filesystemLimit(record.request);
  const fs = UnionFs.create(lowers, maxBytes === undefined ? {} : { maxBytes });
  const earlier = wasmChanges(dir);
  if (earlier !== undefined) fs.adopt(earlier);
  makeDirs(fs, record.process.cwd);
  if (record.mounts !== undefined) (await import("./wasm-volumes.ts")).makeMountPoints(fs, record.mounts);
  if (record.request.readonlyRootfs !== true) return fs;
  return UnionFs.create([...lowers, fs.freeze()], { readOnly: true });
}

/** Where translations are; without one the payload translates for itself. */
function cacheIn(root: string): string | undefined {
  const dir = translationsDir(root);
  return existsSync(dir) ? dir : undefined;
}

async function runGuest(
  fs: UnionFs,
  record: ContainerRecord,
  payload: Payload,
  { dir, cacheDir }: { readonly dir: string; readonly cacheDir: string | undefined },
): Promise<number> {
  const { process, request } = record;
  const mounted = await withVolumes(fs, record);
  // Loaded by who may send only.
  const sending = request.guestHttp && (await import("./wasm-secrets.ts")).sendingOf(dir, record);
  const sockets = asksNetwork(request) ? (await import("./wasm-sockets.ts")).socketsOf(record) : undefined;
  clearEnd(dir);
  if (request.guestLimits?.cpuMs !== undefined) payload.onCpuLimit?.(request.guestLimits.cpuMs);
  const components = lazyComponents(cacheDir);
  payload.onVisit?.((visit) => {
    return visit.files === true ? serveFiles(fs, visit) : runVisit(mounted, request, { ...visit, components });
  });
  try {
    const exit = await runCommand({
      fs: mounted,
      args: process.args,
      env: { ...Object.fromEntries(process.env.map(splitEnv)), ...sending?.env },
      http: sending?.http,
      sockets,
      serving: servingOf(record, payload),
      cwd: process.cwd,
      stdin: payload.stdin,
      stdout: payload.stdout,
      stderr: payload.stderr,
      interrupt: payload.interrupt,
      breakOnSigint: true,
      cacheDir,
      components,
      limits: guestLimits(request),
    });
    if (exit.error !== undefined) noteEnd(dir, exit.error);
    return reported(payload, exit);
  } catch (error) {
    return refused(payload, error);
  }
}

/** How it answers, if it is a component that does. */
function servingOf(record: ContainerRecord, payload: Payload): Serving {
  return {
    ports: servingPorts(record),
    graceMs: Math.max(record.process.stopTimeoutSec * 1000 - STOP_SLACK_MS, STOP_SLACK_MS),
    onListening: () => payload.onServing?.(record.request.guestLimits?.timeoutMs),
    onDraining: () => payload.ended?.(),
    onError: (error) => say(payload, `a request failed: ${error instanceof Error ? error.message : String(error)}`),
  };
}

/** A further program, inside a host call of the first. The container's time is not its own. */
function runVisit(
  fs: InodeFs,
  request: CreateRequest,
  visit: Visit & { readonly components: ComponentRunner },
): number {
  const { timeoutMs: _time, ...limits } = guestLimits(request);
  try {
    return reported(visit, runCommandNow({ ...visit, fs, limits }));
  } catch (error) {
    return refused(visit, error);
  }
}

function reported(to: { readonly stderr: GuestOutput }, exit: WasmExit): number {
  if (exit.error !== undefined) say(to, exit.error.message);
  return exit.exitCode;
}

/** Why there was no run; other errors are defects. */
function refused(to: { readonly stderr: GuestOutput }, error: unknown): number {
  if (!(error instanceof LapError)) throw error;
  say(to, error.hint === undefined ? error.message : `${error.message} (${error.hint})`);
  return error.kind === "notFound" ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

async function withVolumes(fs: UnionFs, record: ContainerRecord): Promise<InodeFs> {
  if (record.mounts === undefined) return fs;
  const { mountVolumes } = await import("./wasm-volumes.ts");
  return mountVolumes(fs, record);
}

function splitEnv(line: string): [string, string] {
  const at = line.indexOf("=");
  return [line.slice(0, at), line.slice(at + 1)];
}

function say({ stderr }: { readonly stderr: GuestOutput }, text: string): void {
  const bytes = new TextEncoder().encode(`lap: ${text}\n`);
  for (let done = 0; done < bytes.length;) done += stderr.write(bytes, done, bytes.length - done);
}
