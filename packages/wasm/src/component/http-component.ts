// Components that answer HTTP requests. 0.3 (wasi:http/handler): one instance, any number of requests at a time. 0.2
// (wasi:http/incoming-handler): an instance per request, because it cannot be entered again while it waits.
import { LapError } from "@lapstrake/base";
import type { HttpRequest, HttpResponse } from "../http/exchange.ts";
import { HttpFailure, internalFailure } from "../http/exchange.ts";
import { http2Guest } from "../p2/http/imports.ts";
import { Interrupt } from "../run/interrupt.ts";
import type { Translated } from "./jco.ts";
import { Request, Response } from "../p3/http/messages.ts";
import type { Preview3Host } from "../p3/host.ts";
import { DENY_ALL } from "../p3/http/imports.ts";
import { socketInterfaces2 } from "../p2/sockets/imports.ts";
import { NO_SOCKETS } from "../sockets/policy.ts";
import { preview3Imports } from "../p3/imports.ts";
import { translatedOf } from "./cache.ts";
import { isPreview3 } from "./kind.ts";
import { Watch, checkJspi } from "./run-preview3.ts";
import { hostOf, instantiateTranslated, type ComponentExports, type ComponentRun } from "./translated.ts";

const HANDLER = /^wasi:http\/handler@0\.3\./;
const INCOMING_HANDLER = /^wasi:http\/incoming-handler@0\.2\./;

/** An instance that answers. `limits.timeoutMs` is per request; for 0.3 guests to the head of its response, and one that exceeds it is gone. */
export interface HttpComponent extends Disposable {
  /** Rejects with an HttpFailure when the guest says so, and with what ended the guest otherwise. */
  handle(request: HttpRequest): Promise<HttpResponse>;
}

/** Makes a component that exports wasi:http/handler or wasi:http/incoming-handler ready to answer. */
export async function openHttpComponent(run: ComponentRun): Promise<HttpComponent> {
  checkJspi();
  const newer = isPreview3(run.component);
  const files = await translatedOf(run.component, newer ? "tasks" : "calls", run.cacheDir);
  return newer ? openHandler(run, files) : openIncomingHandler(run, files);
}

async function openHandler(run: ComponentRun, files: Translated): Promise<HttpComponent> {
  const common = hostOf(run);
  const watch = new Watch(common.interrupt, undefined);
  const host: Preview3Host = {
    ...common,
    http: run.http ?? DENY_ALL,
    sockets: run.sockets ?? NO_SOCKETS,
    fatal: (error) => watch.end(error),
  };
  const handle = handlerOf(await instantiateTranslated(run, files, preview3Imports(host)));
  return {
    async handle(request) {
      using time = new Watch(common.interrupt, run.limits?.timeoutMs);
      const answer = respond(handle, request);
      answer.catch(() => undefined);
      return Promise.race([answer, watch.ended, time.ended]);
    },
    [Symbol.dispose]: () => watch[Symbol.dispose](),
  };
}

function openIncomingHandler(run: ComponentRun, files: Translated): HttpComponent {
  return {
    async handle(request) {
      const host = { ...hostOf(run), interrupt: run.interrupt ?? new Interrupt() };
      const guest = http2Guest(host, run.http ?? DENY_ALL);
      const imports = { ...guest.imports, ...socketInterfaces2(host, run.sockets ?? NO_SOCKETS) };
      const handle = exportOf<IncomingHandle>(await instantiateTranslated(run, files, imports), INCOMING_HANDLER);
      const { request: incoming, param, response, abandon } = guest.exchange(request);
      const fail = (error: unknown): never => {
        abandon(internalFailure(error instanceof Error ? error.message : "the guest failed"));
        throw error;
      };
      const time = new Watch(host.interrupt, run.limits?.timeoutMs);
      // After the head of the response nobody else waits for either.
      const late = time.ended.catch(fail);
      const running = guardedCall(run, host.interrupt, () => handle(incoming, param))
        .then(() => abandon(internalFailure("the guest ended without a whole response")), fail)
        .finally(() => time[Symbol.dispose]());
      late.catch(() => time[Symbol.dispose]());
      running.catch(() => undefined);
      return Promise.race([response, running.then(() => response), late]);
    },
    [Symbol.dispose]: () => undefined,
  };
}

/** The guard covers the guest up to its first wait. */
async function guardedCall(run: ComponentRun, interrupt: Interrupt, call: () => Promise<void>): Promise<void> {
  if (run.guard === undefined) return call();
  let running: Promise<void> | undefined;
  run.guard(() => {
    running = call();
  }, interrupt);
  return running;
}

type IncomingHandle = (request: object, param: object) => Promise<void>;

type Handle = (request: Request) => Promise<unknown>;

async function respond(handle: Handle, request: HttpRequest): Promise<HttpResponse> {
  try {
    const response = await handle(Request.received(request));
    if (response instanceof Response) return response.outgoing;
  } catch (error) {
    throw failureOf(error) ?? error;
  }
  throw new LapError("internal", "ERR_LAP_WASM_HTTP", "the handler gave no response");
}

/** The error-code that a handler returned: jco throws an error with it as payload. */
function failureOf(error: unknown): HttpFailure | undefined {
  const { payload } = error as { readonly payload?: { readonly tag?: unknown; readonly val?: unknown } };
  if (typeof payload?.tag !== "string") return undefined;
  return new HttpFailure(payload.tag, `the guest answered with the error "${payload.tag}"`, payload.val);
}

function handlerOf(exports: ComponentExports): Handle {
  return exportOf<Handle>(exports, HANDLER);
}

function exportOf<T>(exports: ComponentExports, name: RegExp): T {
  const interfaces = exports as Readonly<Record<string, { readonly handle?: T }>>;
  const handle = Object.entries(interfaces).find(([key]) => name.test(key))?.[1].handle;
  if (handle !== undefined) return handle;
  throw new LapError("failedPrecondition", "ERR_LAP_WASM_ENTRY", "the component exports no handler of wasi:http", {
    hint: "run it as a command, or build it for the world wasi:http/proxy (0.2) or wasi:http/service (0.3)",
  });
}
