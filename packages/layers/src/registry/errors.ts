// Registry answers that are not successes, as LapErrors: distribution-spec "Error Codes", mapped to our kinds and codes.
import { LapError, type ClockPort, type ErrorKind, type HttpResponse } from "@lapstrake/base";
import { concat } from "./concat.ts";
import { MAX_ERROR_BYTES } from "./limits.ts";
import { retryAfterMs } from "./retry.ts";

/** A registry that breaks its own protocol or lies; never repeated. */
export function protocolError(message: string, detail?: Readonly<Record<string, unknown>>): LapError {
  return new LapError("dataLoss", "ERR_LAP_REGISTRY_RESPONSE", message, detail === undefined ? {} : { detail });
}

interface Mapping {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly hint?: string;
}

const LOGIN = "log in to the registry, or check the name of the repository";

const BY_STATUS: Readonly<Record<number, Mapping>> = {
  401: { kind: "unauthenticated", code: "ERR_LAP_REGISTRY_UNAUTHENTICATED", hint: LOGIN },
  403: { kind: "permissionDenied", code: "ERR_LAP_REGISTRY_DENIED", hint: LOGIN },
  404: { kind: "notFound", code: "ERR_LAP_REGISTRY_NOT_FOUND" },
  405: { kind: "unimplemented", code: "ERR_LAP_REGISTRY_UNSUPPORTED", hint: "the registry does not offer this" },
  408: { kind: "unavailable", code: "ERR_LAP_REGISTRY_UNAVAILABLE" },
  413: { kind: "resourceExhausted", code: "ERR_LAP_REGISTRY_TOO_LARGE", hint: "push in smaller chunks" },
  416: { kind: "conflict", code: "ERR_LAP_REGISTRY_RANGE" },
  501: { kind: "unimplemented", code: "ERR_LAP_REGISTRY_UNSUPPORTED", hint: "the registry does not offer this" },
  429: { kind: "unavailable", code: "ERR_LAP_REGISTRY_RATE_LIMIT", hint: "wait, or log in for a higher limit" },
};

function mappingOf(status: number): Mapping {
  const known = BY_STATUS[status];
  if (known !== undefined) return known;
  if (status >= 500) return { kind: "unavailable", code: "ERR_LAP_REGISTRY_UNAVAILABLE" };
  if (status >= 400) return { kind: "invalidArgument", code: "ERR_LAP_REGISTRY_REFUSED" };
  return { kind: "dataLoss", code: "ERR_LAP_REGISTRY_RESPONSE" };
}

/** The first `maxBytes` of a body; what follows, and what breaks, is dropped. */
async function readAtMost(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= maxBytes) break;
    }
  } catch {
    // half an error text is better than an error about it
  }
  return concat(chunks, Math.min(length, maxBytes));
}

interface RegistryFault {
  readonly code: string;
  readonly message: string;
}

const CONTROL = /[\p{Cc}\p{Cf}]/gu;

function printable(text: unknown): string {
  return typeof text === "string" ? text.replaceAll(CONTROL, " ").slice(0, 200) : "";
}

function parseFaults(bytes: Uint8Array): RegistryFault[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return []; // an error page of a proxy: the status alone speaks
  }
  const list = (parsed as { errors?: unknown } | null)?.errors;
  if (!Array.isArray(list)) return [];
  return list.slice(0, 10).map((item: unknown) => {
    const { code, message } = (item ?? {}) as { code?: unknown; message?: unknown };
    return { code: printable(code).toUpperCase(), message: printable(message) };
  });
}

function wording(status: number, faults: readonly RegistryFault[]): string {
  const first = faults[0];
  if (first === undefined) return `status ${status}`;
  return `${first.code.toLowerCase().replaceAll("_", " ")}: ${first.message}`;
}

/** The error for a response of an unexpected status; reads a bounded part of its body. `what` says what was asked. */
export async function responseError(response: HttpResponse, what: string, clock: ClockPort): Promise<LapError> {
  const faults = parseFaults(await readAtMost(response.body, MAX_ERROR_BYTES));
  const { kind, code, hint } = mappingOf(response.status);
  const registryCodes = faults.map((fault) => fault.code);
  const retryAfter = retryAfterMs(response.headers["retry-after"], clock);
  return new LapError(kind, code, `${what}: ${wording(response.status, faults)}`, {
    ...(hint === undefined ? {} : { hint }),
    detail: {
      status: response.status,
      registryCodes,
      ...(retryAfter === undefined ? {} : { retryAfterMs: retryAfter }),
    },
  });
}
