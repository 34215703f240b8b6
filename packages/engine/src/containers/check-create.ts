// What is refused before anything is made: of the request alone, and of it together with what its image is.
import { LapError } from "@lapstrake/base";
import { networkMode } from "../network/mode.ts";
import { checkLinuxRequest, checkWasmRequest } from "../sandbox/wasm-limits.ts";
import { checkRequest } from "./check-request.ts";
import { hasExtras } from "./has-extras.ts";
import type { CreateRequest } from "./request.ts";
import type { Source } from "./source.ts";

/** The request with what it implies. Throws for whatever is wrong with it by itself, and `ERR_LAP_NOT_LINUX`. */
export async function checkedRequest(asked: CreateRequest): Promise<CreateRequest> {
  checkHost();
  const request = withImpliedNetwork(asked);
  checkRequest(request);
  const { restart, health, healthOnFailure, log } = request;
  if ((restart ?? health ?? healthOnFailure ?? log) !== undefined) {
    (await import("./check-life.ts")).checkLife(request);
  }
  if (hasExtras(request)) (await import("./extras.ts")).checkExtras(request);
  return request;
}

/** Throws for what this kind of container cannot have: `ERR_LAP_WASM_OPTION`, `ERR_LAP_INIT_WASM`. */
export function checkForKind(request: CreateRequest, source: Source): void {
  (source.kind === "wasm" ? checkWasmRequest : checkLinuxRequest)(request);
  refuseInGuest(source, request);
}

/** A guest has no processes that an init could reap. */
function refuseInGuest({ kind }: Source, { init }: CreateRequest): void {
  if (kind !== "wasm" || init !== true) return;
  throw new LapError("unimplemented", "ERR_LAP_INIT_WASM", "--init makes no sense for a Wasm container", {
    hint: "leave it out: nothing is orphaned in a guest",
  });
}

/** Ports are published by a network: who asks for them without naming one means the default bridge. */
function withImpliedNetwork(request: CreateRequest): CreateRequest {
  const asksPorts =
    (request.ports?.length ?? 0) > 0 || request.publishAll === true || (request.guestHttp?.allow ?? []).length > 0;
  const isNeeded = request.network === undefined && networkMode(undefined).kind !== "networks";
  return asksPorts && isNeeded ? { ...request, network: "bridge" } : request;
}

/** Throws when this process cannot run containers at all. */
function checkHost(): void {
  if (process.platform !== "linux") {
    throw new LapError("failedPrecondition", "ERR_LAP_NOT_LINUX", "containers need Linux", {
      hint: "images, layers and runWasm of the libraries work everywhere",
    });
  }
}
