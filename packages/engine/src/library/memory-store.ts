// A store in memory: what `open({ memory: true })` gives.
import { createReadStream } from "node:fs";
import { UnionFs } from "@lapstrake/layers";
import { MemoryBox, notInMemory, type MemoryBoxOptions } from "./memory-box.ts";
import { MemoryImages, type MemoryImage } from "./memory-images.ts";
import { makeDirs } from "../sandbox/wasm-tree.ts";
import type { Encoding, StartedProcess } from "./process-types.ts";
import { Process } from "./process.ts";
import type { Box, BoxOptions, ContainerOptions, RunOptions, Store } from "./types.ts";

/** Options that only containers of the machine know. */
const FOREIGN = [
  "user",
  "hostname",
  "network",
  "ports",
  "volumes",
  "labels",
  "cpus",
  "pidsLimit",
  "readonlyRootfs",
  "request",
  "entrypoint",
] as const;

export class MemoryStore implements Store {
  readonly engine: undefined;
  readonly #images: MemoryImages;

  constructor(images: MemoryImages) {
    this.#images = images;
  }

  run<E extends Encoding = "utf8">(
    image: string,
    args: readonly string[] = [],
    options: RunOptions<E> = {},
  ): Process<E> {
    refuseForeign(options);
    return new Process(args, (signal) => this.#startRun(image, args, options, signal), options);
  }

  async #startRun(
    name: string,
    args: readonly string[],
    options: RunOptions<Encoding>,
    signal: AbortSignal | undefined,
  ): Promise<StartedProcess> {
    signal?.throwIfAborted();
    const image = await this.#images.resolve(name, options.platform);
    const box = this.#make(image, options);
    const command = [...image.entrypoint, ...(args.length > 0 ? args : image.command)];
    return box.started(command, options);
  }

  async box(name: string, options: BoxOptions = {}): Promise<Box> {
    refuseForeign(options);
    const { signal } = options;
    if (options.command !== undefined || options.start === true || options.waitFor !== undefined) {
      throw notInMemory("a program of its own");
    }
    if (options.keep === true) throw notInMemory("anything to keep");
    signal?.throwIfAborted();
    return this.#make(await this.#images.resolve(name, options.platform), options);
  }

  #make(image: MemoryImage, options: MemoryBoxOptions): MemoryBox {
    const files = UnionFs.over(image.base);
    makeDirs(files, options.cwd ?? image.cwd);
    return new MemoryBox(image, files, options, (fs, from, how) => this.#images.snapshot(fs, from, how));
  }

  get(): never {
    throw notInMemory("names");
  }

  async load(path: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<string[]> {
    signal?.throwIfAborted();
    const stream = (): { kind: "stream"; stream: AsyncIterable<Uint8Array> } => ({
      kind: "stream",
      stream: createReadStream(path, signal === undefined ? {} : { signal }),
    });
    return this.#images.load(path, stream);
  }

  events(): never {
    throw notInMemory("events");
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#images[Symbol.dispose]();
    return Promise.resolve();
  }
}

function refuseForeign(options: ContainerOptions): void {
  const given = FOREIGN.find((name) => options[name] !== undefined);
  if (given !== undefined) throw notInMemory(`the option "${given}"`);
}

/** With `root`, the images of that store. */
export function openMemoryStore(root: string | undefined): MemoryStore {
  return new MemoryStore(new MemoryImages(root));
}
