// What a Wasm container may send over HTTP, from the request's words to the policy of its host; and its secrets, which are read when the
// container is made and kept beside its record, for root and the host of the guest only. The guest has placeholders.
import { readFileSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { LapError, errorCode } from "@lapstrake/base";
import { policySend, type HttpRule, type HttpSend } from "@lapstrake/wasm";
import { lazyTransport } from "@lapstrake/wasm/node";
import type { CreateRequest } from "../containers/request.ts";
import type { ContainerRecord } from "../state/record.ts";
import type { GuestSecret } from "./wasm-network.ts";

const FILE = "secrets.json";
/** As variables of the environment are named. */
const NAME = /^[A-Za-z_]\w*$/;
const HOST = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?$/i;
/** RFC 9110 has no other bytes in the value of a field. */
const VALUE = /^[\x20-\x7e\x80-\xff]+$/;

/** Reads the secrets of a request; what it returns writes them into a container's directory. Throws `ERR_LAP_WASM_HTTP_OPTION`. */
export function readSecrets({ guestHttp, network }: CreateRequest): (dir: string) => void {
  for (const text of guestHttp?.allow ?? []) parseAllow(text);
  if (network === "none") throw invalid("a guest without a network sends nothing", "leave --network none out");
  const secrets = guestHttp?.secrets ?? [];
  if (secrets.length > 0 && (guestHttp?.allow ?? []).length === 0) {
    throw invalid("a secret needs hosts that it may be sent to", "name them: --allow-host HOST");
  }
  const values = Object.fromEntries(secrets.map((secret) => [checkedName(secret), valueOf(secret)]));
  return (dir) => {
    if (secrets.length > 0) writeFileSync(join(dir, FILE), JSON.stringify(values), { mode: 0o600 });
  };
}

/** How the guest's host sends for it, and the variables that the guest has in place of its secrets. */
export function sendingOf(
  dir: string,
  record: ContainerRecord,
): { readonly http: HttpSend; readonly env: Readonly<Record<string, string>> } {
  const { allow = [], secrets = [] } = record.request.guestHttp ?? {};
  const rules = allow.map(parseAllow);
  const values = secrets.length === 0 ? {} : (JSON.parse(readFileSync(join(dir, FILE), "utf8")) as Values);
  const filled = secrets.map((secret) => ({
    placeholder: placeholder(record, secret),
    value: values[secret.name]!,
    hosts: secret.hosts ?? rules.map(({ host }) => host),
  }));
  return {
    http: policySend({ allow: rules, secrets: filled }, lazyTransport),
    env: Object.fromEntries(secrets.map((secret) => [secret.name, placeholder(record, secret)])),
  };
}

type Values = Readonly<Record<string, string>>;

/** Nothing that occurs by chance. */
function placeholder({ id }: ContainerRecord, { name }: GuestSecret): string {
  return `secret-${name}-${id.slice(0, 24)}`;
}

/**
 * `host[:port]`. Names with a dot must lead to public addresses; an address that is written down, and a name without a dot (another
 * container, localhost), may be private.
 */
export function parseAllow(text: string): HttpRule {
  const [, bracketed, plain, portText] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? "";
  const port = portText === undefined ? undefined : Number(portText);
  const isHost = bracketed === undefined ? HOST.test(host) : isIP(host) === 6;
  if (!isHost || port === 0 || (port !== undefined && port > 65_535)) {
    throw invalid(`invalid host to allow: "${text}"`, 'write HOST or HOST:PORT; "*.example.com" is every name below');
  }
  const isNear = isIP(host) !== 0 || !host.includes(".");
  return {
    host,
    ...(port === undefined ? {} : { ports: [port] }),
    ...(isNear ? { privateAddresses: true } : {}),
  };
}

function checkedName({ name }: GuestSecret): string {
  if (NAME.test(name)) return name;
  throw invalid(`invalid name of a secret: "${name}"`, "it is that of a variable of the guest");
}

function valueOf({ name, source }: GuestSecret): string {
  const value = rawValue(name, source).replace(/\r?\n$/, "");
  if (VALUE.test(value)) return value;
  throw invalid(`secret ${name} is empty or no value of a header`, "it must be one line of text");
}

function rawValue(name: string, source: string): string {
  const [, kind, where = ""] = /^(env|file):(.+)$/s.exec(source) ?? [];
  if (kind === "file") return fileValue(name, where);
  const value = kind === "env" ? process.env[where] : undefined;
  if (value !== undefined) return value;
  const text = kind === "env" ? `variable ${where} of secret ${name} is not set` : `invalid source of secret ${name}`;
  throw invalid(text, "write NAME=env:VARIABLE or NAME=file:PATH");
}

function fileValue(name: string, path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch (cause) {
    throw invalid(`cannot read secret ${name} from "${path}": ${errorCode(cause) ?? "unreadable"}`, "name a file");
  }
}

function invalid(text: string, hint: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_WASM_HTTP_OPTION", text, { hint });
}
