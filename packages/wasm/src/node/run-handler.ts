// A component that answers HTTP requests, as a container's program: it listens until it is told to end, answers what it has begun,
// and is done. 0.2 guests get an instance per request; the one instance of a 0.3 guest is replaced when it failed.
import { openHttpComponent, type HttpComponent } from "../component/http-component.ts";
import type { ComponentRun } from "../component/translated.ts";
import { HttpFailure, type HttpRequest, type HttpResponse } from "../http/exchange.ts";
import { Interrupt, REASON } from "../run/interrupt.ts";
import { interruptedExit, type WasmExit } from "../run/exit.ts";
import { serveHttp, type HttpHandler, type HttpServer } from "./http-serve.ts";

/** Where and how to answer. */
export interface Serving {
  /** Ports to listen on, on all addresses, 0 for a free one; none: 80. */
  readonly ports: readonly number[];
  /** Requests that were begun have this long when the guest is told to end. */
  readonly graceMs: number;
  /** Said when it listens, and where. */
  readonly onListening?: ((ports: readonly number[]) => void) | undefined;
  /** Said when it is told to end: the rest is waiting for answers. */
  readonly onDraining?: (() => void) | undefined;
  /** Told why a request failed. */
  readonly onError: (error: unknown) => void;
}

const DEFAULT_PORT = 80;
/** Requests at a time without a limit on processes: each 0.2 request has a memory of its own. */
const MOST_REQUESTS = 256;
/** How often a wish to end is looked for. */
const LOOK_MS = 20;

/** Listens until `interrupt` is raised. Exit code 0 when every request was answered, else that of the signal. */
export async function runHandler(run: ComponentRun, serving: Serving): Promise<WasmExit> {
  const interrupt = run.interrupt ?? new Interrupt();
  const { interrupt: _own, ...rest } = run;
  using handler = await GuestHandler.open(rest);
  const servers: HttpServer[] = [];
  try {
    for (const port of serving.ports.length === 0 ? [DEFAULT_PORT] : serving.ports) {
      servers.push(await serveHttp(handler, { port }, serving.onError));
    }
    serving.onListening?.(servers.map(({ port }) => port));
    const reason = await raised(interrupt);
    if (reason < REASON.signal) return interruptedExit(reason, undefined);
    serving.onDraining?.();
    const drained = await Promise.all(servers.map((server) => server.drain(serving.graceMs)));
    if (drained.every(Boolean)) return { exitCode: 0, reason: "exit" };
    return { exitCode: 128 + reason - REASON.signal, reason: "signal" };
  } finally {
    for (const server of servers) await server[Symbol.asyncDispose]();
  }
}

/** Resolves with what was raised. */
function raised(interrupt: Interrupt): Promise<number> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const reason = Atomics.load(interrupt.word, 0);
      // Lets in who wants to run another program meanwhile.
      if (reason === REASON.none) interrupt.check();
      if (reason === REASON.none) return;
      clearInterval(timer);
      resolve(reason);
    }, LOOK_MS);
  });
}

/** The guest, and how many of its requests are under way. */
class GuestHandler implements HttpHandler, Disposable {
  readonly #run: ComponentRun;
  readonly #most: number;
  #component: HttpComponent;
  #active = 0;

  private constructor(run: ComponentRun, component: HttpComponent) {
    this.#run = run;
    this.#most = run.limits?.processes ?? MOST_REQUESTS;
    this.#component = component;
  }

  static async open(run: ComponentRun): Promise<GuestHandler> {
    return new GuestHandler(run, await openHttpComponent(run));
  }

  async handle(request: HttpRequest): Promise<HttpResponse> {
    if (this.#active >= this.#most) return BUSY;
    this.#active++;
    try {
      const response = await this.#answer(request);
      void this.#whenSent(response);
      return response;
    } catch (error) {
      this.#active--;
      throw error;
    }
  }

  /** A body that was broken off has ended too. */
  async #whenSent({ body }: HttpResponse): Promise<void> {
    await Promise.allSettled([body?.trailers]);
    this.#active--;
  }

  async #answer(request: HttpRequest): Promise<HttpResponse> {
    const component = this.#component;
    try {
      return await component.handle(request);
    } catch (error) {
      if (!(error instanceof HttpFailure)) await this.#replace(component);
      throw error;
    }
  }

  /** What trapped or was ended answers no more. */
  async #replace(failed: HttpComponent): Promise<void> {
    const fresh = await openHttpComponent(this.#run);
    if (this.#component !== failed) return void fresh[Symbol.dispose]();
    failed[Symbol.dispose]();
    this.#component = fresh;
  }

  [Symbol.dispose](): void {
    this.#component[Symbol.dispose]();
  }
}

const BUSY: HttpResponse = {
  status: 503,
  headers: [["retry-after", new TextEncoder().encode("1")]],
  body: undefined,
};
