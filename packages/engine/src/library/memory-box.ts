// A box in memory: WebAssembly programs over a union filesystem of the same layers, without root, Linux or a disk. It has no program
// of its own; what is run in it is run by exec.
import { randomBytes } from "node:crypto";
import { LapError } from "@lapstrake/base";
import { nodeFs, type UnionFs } from "@lapstrake/layers";
import { randomName } from "../state/ids.ts";
import { boxFs, type BoxFs, type BoxUsage } from "./fs/box-fs.ts";
import type { MemoryImage } from "./memory-images.ts";
import { startMemory, type MemoryRun } from "./memory-process.ts";
import { Mutex } from "./mutex.ts";
import type { Encoding, StartedProcess } from "./process-types.ts";
import { Process } from "./process.ts";
import { shellTag, type Shell } from "./shell.ts";
import type { Box, BoxOptions, BoxState, ExecOptions, ForkOptions, Snapshot, SnapshotOptions } from "./types.ts";

/** What a box in memory keeps to. */
export type MemoryBoxOptions = Pick<BoxOptions, "env" | "cwd" | "memoryBytes" | "name">;

/** Makes an image of changed files. */
export type TakeSnapshot = (fs: UnionFs, image: MemoryImage, options: SnapshotOptions) => Promise<Snapshot>;

export class MemoryBox implements Box {
  readonly id: string = randomBytes(32).toString("hex");
  readonly name: string;
  readonly fs: BoxFs;
  readonly $: Shell;
  readonly #image: MemoryImage;
  readonly #files: UnionFs;
  readonly #options: MemoryBoxOptions;
  readonly #snapshot: TakeSnapshot;
  // A guest's changes arrive at its end; until then nobody else may change the files.
  readonly #mutex = new Mutex();

  constructor(image: MemoryImage, files: UnionFs, options: MemoryBoxOptions, snapshot: TakeSnapshot) {
    this.name = options.name ?? randomName(0);
    this.#image = image;
    this.#files = files;
    this.#options = options;
    this.#snapshot = snapshot;
    const calls = nodeFs(files);
    this.fs = boxFs(
      (use) => this.#mutex.run(async () => use(calls)),
      () => memoryUsage(files),
    );
    this.$ = shellTag((line, exec) => this.exec(["sh", "-c", line], exec));
  }

  get image(): string {
    return this.#image.name;
  }

  state(): BoxState {
    return "created";
  }

  exec<E extends Encoding = "utf8">(args: readonly string[], options: ExecOptions<E> = {}): Process<E> {
    if (options.user !== undefined) throw notInMemory("a user");
    return new Process(args, () => this.started(args, options), options);
  }

  /** The program itself, when its turn has come. */
  started(args: readonly string[], options: ExecOptions<Encoding>): Promise<StartedProcess> {
    return this.#startInTurn(this.#runOf(args, options));
  }

  #runOf(args: readonly string[], { env, cwd, stdin, timeoutMs }: ExecOptions<Encoding>): MemoryRun {
    const { memoryBytes } = this.#options;
    return {
      fs: this.#files,
      args,
      env: { ...this.#image.env, ...this.#options.env, ...env },
      cwd: cwd ?? this.#options.cwd ?? this.#image.cwd,
      hasStdin: stdin !== undefined,
      limits: {
        ...(memoryBytes === undefined ? {} : { memoryBytes }),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      },
    };
  }

  /** Resolves when its turn has come; the turn lasts until its end. */
  #startInTurn(run: MemoryRun): Promise<StartedProcess> {
    const { promise, resolve } = Promise.withResolvers<StartedProcess>();
    void this.#mutex.run(() => new Promise<void>((done) => resolve(startMemory(run, done))));
    return promise;
  }

  start(): Promise<void> {
    return Promise.reject(noProgram());
  }

  /** Nothing runs in it by itself. */
  async stop(): Promise<void> {
    await this.#mutex.run(() => Promise.resolve());
  }

  kill(): Promise<void> {
    return Promise.reject(noProgram());
  }
  pause(): Promise<void> {
    return Promise.reject(noProgram());
  }
  unpause(): Promise<void> {
    return Promise.reject(noProgram());
  }
  wait(): Promise<never> {
    return Promise.reject(noProgram());
  }
  logs(): never {
    throw noProgram();
  }
  waitFor(): Promise<void> {
    return Promise.reject(noProgram());
  }
  port(): Promise<never> {
    return Promise.reject(notInMemory("a network"));
  }
  connect(): Promise<never> {
    return Promise.reject(notInMemory("a network"));
  }

  snapshot(options: SnapshotOptions = {}): Promise<Snapshot> {
    return this.#mutex.run(() => {
      options.signal?.throwIfAborted();
      return this.#snapshot(this.#files, this.#image, options);
    });
  }

  fork({ name, start, keep, signal }: ForkOptions = {}): Promise<Box> {
    if (start === true) return Promise.reject(noProgram());
    if (keep === true) return Promise.reject(notInMemory("anything to keep"));
    return this.#mutex.run(() => {
      signal?.throwIfAborted();
      const { name: _own, ...same } = this.#options;
      const options = name === undefined ? same : { ...same, name };
      return Promise.resolve(new MemoryBox(this.#image, this.#files.fork(), options, this.#snapshot));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#mutex.run(() => Promise.resolve());
  }
}

const BLOCK_BYTES = 4096;
/** statfs(2) says this of a tmpfs. */
const TMPFS_MAGIC = 0x01021994;

function memoryUsage(files: UnionFs): BoxUsage {
  const { totalBytes, freeBytes, totalInodes, freeInodes } = files.statfs();
  const [blocks, bfree] = [Math.floor(totalBytes / BLOCK_BYTES), Math.floor(freeBytes / BLOCK_BYTES)];
  return { type: TMPFS_MAGIC, bsize: BLOCK_BYTES, blocks, bfree, bavail: bfree, files: totalInodes, ffree: freeInodes };
}

function noProgram(): LapError {
  return new LapError("unimplemented", "ERR_LAP_MEMORY_BOX", "a box in memory has no program of its own", {
    hint: "run programs in it with exec, or open a store without memory: true",
  });
}

/** For what only containers of the machine have. */
export function notInMemory(what: string): LapError {
  return new LapError("unimplemented", "ERR_LAP_MEMORY_BOX", `a box in memory does not have ${what}`, {
    hint: "open a store without memory: true",
  });
}
