// The library's surface as types: an opened store, the boxes made in it, and what they can be asked to do. Two implementations:
// containers of this machine (host-store.ts, host-box.ts) and boxes in memory (memory-store.ts, memory-box.ts).
import type { Digest, ProgressSink } from "@lapstrake/base";
import type { Socket } from "node:net";
import type { CreateRequest } from "../containers/request.ts";
import type { LogEntry } from "../containers/logs.ts";
import type { EngineEvent } from "../events/event.ts";
import type { Engine } from "../engine.ts";
import type { BoxFs } from "./fs/box-fs.ts";
import type { Encoding, ProcessOptions, Result } from "./process-types.ts";
import type { Process } from "./process.ts";
import type { Shell } from "./shell.ts";
import type { WaitFor } from "./wait/wait-for.ts";

/** How a program's surroundings are given. */
export interface Surroundings {
  /** Added to the image's. */
  readonly env?: Readonly<Record<string, string>>;
  /** Absolute working directory. */
  readonly cwd?: string;
  /** `name|uid[:group|gid]`. Not in memory. */
  readonly user?: string;
}

/** How to run a program in a box. */
export interface ExecOptions<E extends Encoding = "utf8"> extends ProcessOptions<E>, Surroundings {}

/** What a container may be given; `request` is the rest of what `lap run` knows. Not in memory: only `env`, `cwd`, `memoryBytes`. */
export interface ContainerOptions extends Surroundings {
  /** Replaces the image's entrypoint. */
  readonly entrypoint?: readonly string[];
  readonly name?: string;
  readonly hostname?: string;
  /** `none`, `host`, `bridge`, a network's name, `container:NAME`. Default as `lap run`. */
  readonly network?: string;
  /** As `lap run -p` takes them: `8080:80`, `127.0.0.1::80/udp`, or a bare port for any free one of the machine. */
  readonly ports?: readonly (string | number)[];
  /** As `lap run -v` takes them: `/here:/there:ro`, `volume:/there`. */
  readonly volumes?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly memoryBytes?: number;
  readonly cpus?: number;
  readonly pidsLimit?: number;
  readonly readonlyRootfs?: boolean;
  /** `os/arch[/variant]`. */
  readonly platform?: string;
  /** Fetch the image from its registry: when it is `missing` (default), `always` or `never`. */
  readonly pull?: "missing" | "always" | "never";
  readonly progress?: ProgressSink;
  readonly request?: Partial<CreateRequest>;
}

/** How to run one program in a container of its own. */
export interface RunOptions<E extends Encoding = "utf8"> extends ProcessOptions<E>, ContainerOptions {}

/** How to make a box. */
export interface BoxOptions extends ContainerOptions {
  /** Replaces the image's command. The box's first program has an open, silent input, so that shells stay. */
  readonly command?: readonly string[];
  /** False leaves it created, to be filled through `fs` and started later. Default true. */
  readonly start?: boolean;
  /** True: an ordinary container that neither the end of the scope nor of the program removes. Default false. */
  readonly keep?: boolean;
  /** Resolves when this holds; the box is removed when it does not come about. */
  readonly waitFor?: WaitFor;
  /** Breaks off the making. */
  readonly signal?: AbortSignal;
}

/** How to fork a box. */
export interface ForkOptions {
  readonly name?: string;
  /** Default: as the original does now. */
  readonly start?: boolean;
  readonly keep?: boolean;
  readonly signal?: AbortSignal;
}

/** An image made of a box. */
export interface Snapshot {
  readonly id: Digest;
  /** What `box(…)` takes: the name that was asked for, else the id. */
  readonly image: string;
}

/** How to take a snapshot. */
export interface SnapshotOptions {
  /** Names the image, `repository[:tag]`. */
  readonly name?: string;
  readonly message?: string;
  readonly signal?: AbortSignal;
}

/** What a box is doing; one in memory is always `created`. */
export type BoxState = "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";

/** Which part of the log. */
export interface BoxLogOptions {
  /** Go on until the box ends or `signal`. */
  readonly follow?: boolean;
  /** Last lines only. */
  readonly tail?: number;
  readonly signal?: AbortSignal;
}

/** Where a published port is reached. */
export interface PortAddress {
  readonly host: string;
  readonly port: number;
}

/** A container that this program holds. Disposing removes it; so does the program's end, however it comes about. */
export interface Box extends AsyncDisposable {
  readonly id: string;
  readonly name: string;
  /** As it was asked for. */
  readonly image: string;
  /** Its files in the shape of node:fs/promises, running or not. */
  readonly fs: BoxFs;
  /** A shell line with safe quoting. */
  readonly $: Shell;
  state(): BoxState;
  /** Runs a program in it. */
  exec<E extends Encoding = "utf8">(args: readonly string[], options?: ExecOptions<E>): Process<E>;
  start(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Sends the stop signal, and SIGKILL after `timeoutMs` (default: the container's own). */
  stop(options?: { readonly timeoutMs?: number }): Promise<void>;
  kill(signal?: string | number): Promise<void>;
  pause(): Promise<void>;
  unpause(): Promise<void>;
  /** Resolves when its first program has ended. */
  wait(options?: { readonly signal?: AbortSignal }): Promise<BoxExit>;
  logs(options?: BoxLogOptions): AsyncIterableIterator<LogEntry>;
  waitFor(what: WaitFor, options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Where a published port of it is on this machine. Throws `ERR_LAP_NO_PORT`. */
  port(containerPort: number, protocol?: "tcp" | "udp"): Promise<PortAddress>;
  /** A TCP connection to a port inside, published or not. */
  connect(containerPort: number, options?: { readonly signal?: AbortSignal }): Promise<Socket>;
  snapshot(options?: SnapshotOptions): Promise<Snapshot>;
  fork(options?: ForkOptions): Promise<Box>;
}

/** How a box's first program ended. */
export type BoxExit = Pick<Result, "exitCode" | "signal" | "oomKilled">;

/** An opened store. Disposing lets go of what it holds open and removes every box it still holds. */
export interface Store extends AsyncDisposable {
  /** Runs one program in a container of its own, which is gone afterwards. */
  run<E extends Encoding = "utf8">(image: string, args?: readonly string[], options?: RunOptions<E>): Process<E>;
  /** Makes a container and, unless told otherwise, starts it. */
  box(image: string, options?: BoxOptions): Promise<Box>;
  /** A container that exists already; disposing it lets it be. Throws `ERR_LAP_NO_CONTAINER`. */
  get(nameOrId: string): Box;
  /** Loads the images of an OCI layout folder or an archive file; resolves to their names or ids. */
  load(path: string, options?: { readonly signal?: AbortSignal }): Promise<string[]>;
  /** What happens in the store from now on, or since a time. */
  events(options?: {
    readonly since?: Date;
    readonly until?: Date;
    readonly signal?: AbortSignal;
  }): AsyncIterable<EngineEvent>;
  /** Everything else; undefined in memory. */
  readonly engine: Engine | undefined;
}
