// What goes wrong on the way to a registry, in the words of docker's daemon (Go's net package), which its clients know by their text.
import { readFileSync } from "node:fs";
import { LapError, errorCode, isLapError } from "@lapstrake/base";

const SAID: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network is unreachable",
  ECONNRESET: "connection reset by peer",
};

/** Runs `work`; a connection that could not be made is told as docker tells it, everything else as it is. */
export async function inDockersWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isLapError(error) ? worded(error) : error;
  }
}

function worded(error: LapError): LapError {
  const reason = goReason(error);
  if (reason === undefined) return error;
  const { host = "", path = "/v2/" } = (error.detail ?? {}) as { readonly host?: string; readonly path?: string };
  const url = `${schemeOf(host)}://${host}${path}`;
  return new LapError(error.kind, error.code, `Get "${url}": ${reason}`, {
    cause: error,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  });
}

/** Loopback speaks plain HTTP. */
export function schemeOf(host: string): "http" | "https" {
  return /^(?:localhost|127\.|\[::1\])/.test(host) ? "http" : "https";
}

interface NetworkError {
  readonly code?: string;
  readonly hostname?: string;
  readonly address?: string;
  readonly port?: number;
  readonly errors?: readonly NetworkError[];
}

function goReason({ code, cause, detail }: LapError): string | undefined {
  if (code === "ERR_LAP_HTTP_TIMEOUT")
    return "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
  if (code !== "ERR_LAP_HTTP_REFUSED" && code !== "ERR_LAP_HTTP_CUT") return undefined;
  if (typeof cause !== "object" || cause === null || detail?.["host"] === undefined) return undefined;
  const first = firstOf(cause as NetworkError);
  const { hostname, address, port } = first;
  if (first.code === "ENOTFOUND") return `dial tcp: lookup ${hostname} on ${resolver()}:53: no such host`;
  if (first.code === "EAI_AGAIN") return `dial tcp: lookup ${hostname} on ${resolver()}:53: server misbehaving`;
  const said = SAID[first.code ?? ""];
  return said === undefined || address === undefined ? undefined : `dial tcp ${address}:${port}: connect: ${said}`;
}

/** Node tries every address; docker tells of the first. */
function firstOf(error: NetworkError): NetworkError {
  return error.errors === undefined || error.errors[0] === undefined ? error : firstOf(error.errors[0]);
}

/** resolv.conf(5): the first name server. */
function resolver(): string {
  try {
    return /^nameserver\s+(\S+)/m.exec(readFileSync("/etc/resolv.conf", "latin1"))?.[1] ?? "127.0.0.1";
  } catch (error) {
    if (errorCode(error) === "ENOENT") return "127.0.0.1";
    throw error;
  }
}
