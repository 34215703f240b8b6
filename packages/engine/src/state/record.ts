// ContainerRecord: what a container is, decided once at create and kept as record.json in its directory.
// Second value of the data flow (CreateRequest -> ContainerRecord -> RuntimeSpec). What it is doing lives in core's status record.
import { join } from "node:path";
import { type ByteString, type Digest, type HealthConfig } from "@lapstrake/base";
import type { CreateRequest, NetworkAttachment } from "../containers/request.ts";
import type { RecordMount } from "../volumes/types.ts";
import { writeFileAtomic } from "./atomic.ts";
import { damaged, readStored } from "./read-stored.ts";

/** Which sandbox runs it. */
export type ContainerKind = "linux" | "wasm";

/** What the root filesystem is made of. */
export type RecordRootfs =
  /** Layers of an image: names of their directories, top first. */
  | { readonly kind: "image"; readonly layers: readonly string[] }
  /** The machine's own root, with committed layers over it, top first. */
  | {
      readonly kind: "host";
      readonly layers: readonly string[];
      readonly include: readonly string[];
      readonly mask: readonly string[];
    }
  /** A single .wasm file of the host, copied into the container. */
  | { readonly kind: "module"; readonly file: ByteString };

/** A process that no reused pid is taken for. */
export interface ProcessId {
  readonly pid: number;
  /** Clock ticks since boot: proc_pid_stat(5) field 22. */
  readonly startTime: number;
  readonly bootId: string;
}

/** The program, after image defaults and request are merged. */
export interface RecordProcess {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: string;
  readonly tty: boolean;
  readonly openStdin: boolean;
  readonly stopSignal: number;
  readonly stopTimeoutSec: number;
}

/** An OCI runtime that is not our own. */
export interface OtherRuntime {
  /** As it was asked for. */
  readonly name: string;
  /** Its program. Absolute. */
  readonly path: string;
}

export interface ContainerRecord {
  readonly version: 1;
  readonly id: string;
  readonly name: string;
  /** ISO time with nanoseconds. */
  readonly createdAt: string;
  readonly kind: ContainerKind;
  readonly image: {
    /** As the person typed it, shown by ps. */
    readonly name: string;
    /** Config digest; undefined for the host and for a bare module. */
    readonly id: Digest | undefined;
    readonly labels: Readonly<Record<string, string>>;
    /** `80/tcp`. */
    readonly exposedPorts?: readonly string[];
    /** What the image says runs by default; for inspect. */
    readonly env?: readonly string[];
    readonly cmd?: readonly string[];
    readonly entrypoint?: readonly string[];
  };
  readonly rootfs: RecordRootfs;
  /** Its root is a copy of the image's files; absent for an overlay over them. */
  readonly storage?: "vfs";
  /** Who makes the container from its bundle; absent for our own runtime. */
  readonly runtime?: OtherRuntime;
  readonly process: RecordProcess;
  /** What it or its origin wrote before a fork, read-only now and shared: directories of frozen/, top first. */
  readonly frozen?: readonly string[];
  readonly hostname: string;
  readonly autoRemove: boolean;
  /** Networks to be on while it runs, by name, the one with the way out first; absent where `--network` is no network. */
  readonly networks?: Readonly<Record<string, NetworkAttachment>>;
  /** The process that made it to run it at once and remove it: when that dies before the start, the container goes too. */
  readonly creator?: ProcessId;
  /** The program that holds it by `await using`: when that is dead, the container goes, whatever it was doing. */
  readonly holder?: ProcessId;
  /** What is mounted besides the engine's own; absent when nothing is. */
  readonly mounts?: readonly RecordMount[];
  /** The health check, the image's and the request's merged; absent without one. */
  readonly health?: HealthConfig;
  /** The image's shell, for checks that are a line of it. */
  readonly shell?: readonly string[];
  readonly request: CreateRequest;
}

export type { NetworkAttachment };

const FILE = "record.json";

/** The directory of a container. */
export function containerDir(containers: string, id: string): string {
  // Not join(): a listing does this for each, and normalising costs more than reading.
  return `${containers}/${id}`;
}

export function writeRecord(dir: string, record: ContainerRecord): void {
  writeFileAtomic(join(dir, FILE), `${JSON.stringify(record)}\n`);
}

/** The record in `dir`; undefined when the directory has none. Throws `ERR_LAP_RECORD_INVALID`, `ERR_LAP_RECORD_UNREADABLE`. */
export function readRecord(dir: string): ContainerRecord | undefined {
  const path = `${dir}/${FILE}`;
  const text = readStored(path);
  if (text === undefined) return undefined;
  const record = parseRecord(text);
  if (record === undefined) throw damaged("container record", path);
  return record;
}

function parseRecord(text: string): ContainerRecord | undefined {
  try {
    const value = JSON.parse(text) as ContainerRecord | null;
    return value?.version === 1 && typeof value.id === "string" ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
