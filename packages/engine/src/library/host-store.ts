// A store of this machine, opened by a program: containers of Linux programs, and of WebAssembly ones beside them.
import { createReadStream, statSync } from "node:fs";
import { openEngine, type Engine } from "../engine.ts";
import { loadImages } from "../images/operations.ts";
import { timespecOf } from "./times.ts";
import { createPulling } from "./host-create.ts";
import { HostBox, startOrRemove } from "./host-box.ts";
import { startRun } from "./host-process.ts";
import { createRequest } from "./host-request.ts";
import { sweepFrozen } from "./sweep.ts";
import { readEvents } from "../events/events.ts";
import type { EngineEvent } from "../events/event.ts";
import type { Encoding } from "./process-types.ts";
import { Process } from "./process.ts";
import type { Box, BoxOptions, RunOptions, Store } from "./types.ts";

export class HostStore implements Store {
  readonly engine: Engine;
  readonly #held = new Set<HostBox>();
  readonly #closed = new AbortController();

  constructor(engine: Engine) {
    this.engine = engine;
  }

  run<E extends Encoding = "utf8">(
    image: string,
    args: readonly string[] = [],
    options: RunOptions<E> = {},
  ): Process<E> {
    return new Process(args, startRun(this.engine, image, args, options), options);
  }

  async box(image: string, options: BoxOptions = {}): Promise<Box> {
    const { signal } = options;
    const held = options.keep !== true;
    const request = { openStdin: true, ...createRequest(image, options, options.command) };
    const record = await createPulling(this.engine, request, { held }, options, signal);
    const box = this.#hold(new HostBox(this.engine, record, { held, onGone: (gone) => this.#held.delete(gone) }), held);
    if (options.start !== false) await startOrRemove(this.engine, box, signal);
    try {
      if (options.waitFor !== undefined) await box.waitFor(options.waitFor, signal === undefined ? {} : { signal });
      return box;
    } catch (error) {
      await box[Symbol.asyncDispose]();
      throw error;
    }
  }

  #hold(box: HostBox, held: boolean): HostBox {
    if (held) this.#held.add(box);
    return box;
  }

  get(nameOrId: string): Box {
    return new HostBox(this.engine, this.engine.find(nameOrId), { held: false });
  }

  async load(path: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<string[]> {
    signal?.throwIfAborted();
    const source = statSync(path).isDirectory()
      ? ({ kind: "dir", path } as const)
      : ({ kind: "stream", stream: createReadStream(path, signal === undefined ? {} : { signal }) } as const);
    return (await loadImages(this.engine, source)).map(({ reference, id }) => reference ?? id);
  }

  events(
    options: { readonly since?: Date; readonly until?: Date; readonly signal?: AbortSignal } = {},
  ): AsyncIterableIterator<EngineEvent> {
    const { since, until } = options;
    const signals = [this.#closed.signal, ...(options.signal === undefined ? [] : [options.signal])];
    return readEvents(this.engine.context, {
      ...(since === undefined ? {} : { since: timespecOf(since) }),
      ...(until === undefined ? {} : { until: timespecOf(until) }),
      signal: AbortSignal.any(signals),
    });
  }

  /** Who reads events sees them end; boxes go; then nothing of it is open any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    try {
      await Promise.all([...this.#held].map((box) => box[Symbol.asyncDispose]()));
    } finally {
      await this.engine[Symbol.asyncDispose]();
    }
  }
}

/** Opens the store; what programs that were killed held in it goes. */
export function openHostStore(options: Parameters<typeof openEngine>[0]): HostStore {
  const engine = openEngine(options);
  engine.list();
  sweepFrozen(engine.context.paths);
  return new HostStore(engine);
}
