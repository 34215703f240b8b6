// What node:http, node:tls and the resolver say -> the codes that the HTTP port promises.
import { LapError } from "@lapstrake/base";

const REFUSED: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "EADDRINFO",
  "EACCES",
  "EPERM",
]);
const UNTRUSTED =
  /^(?:CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|ERR_TLS_|ERR_SSL_)/;
const NOT_TLS: ReadonlySet<string> = new Set([
  "EPROTO",
  "ERR_SSL_WRONG_VERSION_NUMBER",
  "ERR_SSL_PACKET_LENGTH_TOO_LONG",
  "ERR_SSL_UNKNOWN_PROTOCOL",
  "ERR_SSL_HTTP_REQUEST",
]);

function codeOf(error: unknown): string {
  const { code, errors } = error as { code?: unknown; errors?: unknown };
  if (typeof code === "string") return code;
  return Array.isArray(errors) && errors.length > 0 ? codeOf(errors[0]) : "";
}

/** A failure of connection or transfer as a LapError; a LapError stays what it is. */
export function httpError(error: Error, host: string): Error {
  if (error instanceof LapError) return error;
  const code = codeOf(error);
  const cause = { cause: error, detail: { host, code } };
  const said = error.message === "" ? code : error.message;
  if (REFUSED.has(code)) {
    return new LapError("unavailable", "ERR_LAP_HTTP_REFUSED", `cannot connect to "${host}": ${said}`, {
      ...cause,
      hint: "check the name and port, and that the server runs",
    });
  }
  if (NOT_TLS.has(code)) {
    return new LapError("failedPrecondition", "ERR_LAP_HTTP_NOT_TLS", `"${host}" does not speak TLS: ${said}`, {
      ...cause,
      hint: "if it is meant to be spoken to without TLS, say so for this registry",
    });
  }
  if (UNTRUSTED.test(code)) {
    return new LapError("failedPrecondition", "ERR_LAP_HTTP_TLS", `no trusted TLS with "${host}": ${said}`, {
      ...cause,
      hint: "put the authority's certificate into the registry's certificate folder",
    });
  }
  if (code.startsWith("HPE_") && code !== "HPE_INVALID_EOF_STATE") {
    return new LapError("dataLoss", "ERR_LAP_HTTP_INVALID", `"${host}" does not answer in HTTP: ${said}`, cause);
  }
  return new LapError("unavailable", "ERR_LAP_HTTP_CUT", `the connection to "${host}" broke: ${said}`, cause);
}

/** The error for a bound in time that was reached; `doing` says what took too long. */
export function timeoutError(host: string, doing: string, ms: number): LapError {
  return new LapError("deadlineExceeded", "ERR_LAP_HTTP_TIMEOUT", `"${host}": ${doing} took longer than ${ms} ms`, {
    detail: { host, ms },
  });
}
