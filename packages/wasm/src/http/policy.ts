// What a guest may send, as data: nothing unless a rule allows it. Secrets are put in on the way out, so that the guest only ever
// holds their placeholders.
import { HttpFailure, type HttpHeaders, type HttpRequest, type HttpSend, type HttpTimeouts } from "./exchange.ts";

/** One thing that is allowed. */
export interface HttpRule {
  /** A name, an address, or "*.example.com" for all names below. */
  readonly host: string;
  /** Default: 80 for http, 443 for https. */
  readonly ports?: readonly number[];
  /** Upper case; default all. */
  readonly methods?: readonly string[];
  /** Default both. */
  readonly schemes?: readonly ("http" | "https")[];
  /** Addresses of the machine and of private networks are refused unless this is true, whatever the name resolves to. */
  readonly privateAddresses?: boolean;
}

/** A value that replaces its placeholder in headers sent to some hosts. */
export interface HttpSecret {
  readonly placeholder: string;
  readonly value: string;
  /** As in a rule. */
  readonly hosts: readonly string[];
}

export interface HttpPolicy {
  readonly allow: readonly HttpRule[];
  readonly secrets?: readonly HttpSecret[];
}

/** Sends to a host whose addresses are checked first: only public ones unless `privateAddresses`. */
export type HttpTransport = (
  request: HttpRequest,
  timeouts: HttpTimeouts,
  privateAddresses: boolean,
) => ReturnType<HttpSend>;

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

/** A send that obeys `policy`. */
export function policySend(policy: HttpPolicy, transport: HttpTransport): HttpSend {
  return async (request, timeouts) => {
    const { host, port } = splitAuthority(request.authority, request.scheme);
    const rule = policy.allow.find((candidate) => allows(candidate, request, host, port));
    if (rule === undefined) {
      throw new HttpFailure("HTTP-request-denied", `the policy does not allow ${request.method} ${host}:${port}`);
    }
    const headers = withSecrets(policy.secrets ?? [], request.headers, host);
    return transport({ ...request, headers }, timeouts, rule.privateAddresses === true);
  };
}

/** Host in lower case, without brackets, and port. */
export function splitAuthority(authority: string, scheme: string): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/.exec(authority) ?? [];
  const host = (bracketed ?? plain ?? "").toLowerCase().replace(/\.$/, "");
  if (host === "") throw new HttpFailure("HTTP-request-URI-invalid", "the request names no host");
  return { host, port: port === undefined || port === "" ? DEFAULT_PORTS[scheme]! : Number(port) };
}

function allows(rule: HttpRule, { method, scheme }: HttpRequest, host: string, port: number): boolean {
  return (
    matchesHost(rule.host, host) &&
    (rule.ports ?? [DEFAULT_PORTS[scheme]!]).includes(port) &&
    (rule.methods?.includes(method) ?? true) &&
    (rule.schemes?.includes(scheme) ?? true)
  );
}

/** True for a host, in lower case, that a pattern of a rule means. */
export function matchesHost(pattern: string, host: string): boolean {
  const wanted = pattern.toLowerCase();
  return wanted.startsWith("*.") ? host.endsWith(wanted.slice(1)) && host.length > wanted.length - 1 : host === wanted;
}

function withSecrets(secrets: readonly HttpSecret[], headers: HttpHeaders, host: string): HttpHeaders {
  const mine = secrets.filter(({ hosts }) => hosts.some((pattern) => matchesHost(pattern, host)));
  if (mine.length === 0) return headers;
  return headers.map(([name, value]) => [name, mine.reduce(substitute, value)] as const);
}

function substitute(value: Uint8Array, secret: HttpSecret): Uint8Array {
  const text = String.fromCharCode(...value);
  if (!text.includes(secret.placeholder)) return value;
  const out = text.replaceAll(secret.placeholder, () => secret.value);
  return Uint8Array.from(out, (char) => char.charCodeAt(0));
}
