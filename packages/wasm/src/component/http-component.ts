// A 0.3 component that answers HTTP requests (wasi:http/handler): one instance, any number of requests at a time.
import { LapError } from "@lapstrake/base";
import type { HttpRequest, HttpResponse } from "../http/exchange.ts";
import { HttpFailure } from "../http/exchange.ts";
import { Request, Response } from "../p3/http/messages.ts";
import type { Preview3Host } from "../p3/host.ts";
import { DENY_ALL } from "../p3/http/imports.ts";
import { preview3Imports } from "../p3/imports.ts";
import { translatedOf } from "./cache.ts";
import { Watch, checkJspi } from "./run-preview3.ts";
import { hostOf, instantiateTranslated, type ComponentExports, type ComponentRun } from "./translated.ts";

const HANDLER = /^wasi:http\/handler@0\.3\./;

/** An instance that answers. `limits.timeoutMs` is per request, to the head of its response; a guest that exceeds it is gone. */
export interface HttpComponent extends Disposable {
  /** Rejects with an HttpFailure when the guest says so, and with what ended the guest otherwise. */
  handle(request: HttpRequest): Promise<HttpResponse>;
}

/** Instantiates a component that exports wasi:http/handler. */
export async function openHttpComponent(run: ComponentRun): Promise<HttpComponent> {
  checkJspi();
  const files = await translatedOf(run.component, true, run.cacheDir);
  const common = hostOf(run);
  const watch = new Watch(common.interrupt, undefined);
  const host: Preview3Host = { ...common, http: run.http ?? DENY_ALL, fatal: (error) => watch.end(error) };
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
  const interfaces = exports as Readonly<Record<string, { readonly handle?: Handle }>>;
  const handle = Object.entries(interfaces).find(([name]) => HANDLER.test(name))?.[1].handle;
  if (handle !== undefined) return handle;
  throw new LapError("failedPrecondition", "ERR_LAP_WASM_ENTRY", "the component exports no wasi:http/handler of 0.3", {
    hint: "run it as a command, or build it for the world wasi:http/service",
  });
}
