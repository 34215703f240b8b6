// Docker's client configuration (config.json) as a source of credentials: auths, identity tokens, credsStore and credHelpers; podman's
// auth.json has the same form with longer keys. Reading the file and running helpers is the caller's.
import { LapError, parseJsonObject } from "@lapstrake/base";
import { decodeBasic } from "./basic.ts";
import type { Credential, CredentialSource } from "./types.ts";

/** Runs `docker-credential-NAME VERB` with `input`; rejects when it cannot be run. */
export interface HelperPort {
  run(
    name: string,
    verb: "get" | "store" | "erase",
    input: string,
  ): Promise<{ readonly status: number; readonly output: string }>;
}

/** The parts of config.json that hold credentials. */
export interface DockerConfig {
  /** By normalised key: `docker.io`, `registry.example:5000`, `registry.example/team`. */
  readonly auths: ReadonlyMap<string, Credential>;
  readonly credHelpers: ReadonlyMap<string, string>;
  readonly credsStore: string | undefined;
}

const MAX_CONFIG_FILE_BYTES: number = 4 * 1024 * 1024;
const MAX_HELPER_BYTES: number = 256 * 1024;
const HUB = "docker.io";
/** The name under which Docker keeps Docker Hub's login. */
const HUB_KEY = "https://index.docker.io/v1/";
const HUB_NAMES: ReadonlySet<string> = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);
/** A user name of helpers that means that the secret is an identity token. */
const TOKEN_USER = "<token>";

/** A key of `auths` as a host or a path below it. */
export function normalizeKey(key: string): string {
  const bare = key
    .replace(/^https?:\/\//, "")
    .replace(/\/+$/, "")
    .replace(/\/v[12]$/, "");
  const [host = "", ...rest] = bare.split("/");
  return [HUB_NAMES.has(host) ? HUB : host, ...rest].join("/");
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function credentialOf(entry: Readonly<Record<string, unknown>>): Credential | undefined {
  const identity = text(entry["identitytoken"]);
  if (identity !== undefined) return { kind: "identity", token: identity };
  const bearer = text(entry["registrytoken"]);
  if (bearer !== undefined) return { kind: "bearer", token: bearer };
  const packed = text(entry["auth"]);
  const login = packed === undefined ? undefined : decodeBasic(packed);
  const username = text(entry["username"]) ?? login?.username;
  const password = text(entry["password"]) ?? login?.password;
  if (username === undefined || password === undefined || username === "") return undefined;
  return { kind: "basic", username, password };
}

function records(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

/** Parses config.json or auth.json; unknown fields are other programs'. Throws `ERR_LAP_JSON_INVALID`. */
export function parseDockerConfig(bytes: Uint8Array): DockerConfig {
  const config = parseJsonObject(bytes, "registry configuration", MAX_CONFIG_FILE_BYTES);
  const auths = new Map<string, Credential>();
  for (const [key, entry] of records(config["auths"])) {
    const credential = credentialOf((entry ?? {}) as Record<string, unknown>);
    if (credential !== undefined) auths.set(normalizeKey(key), credential);
  }
  const credHelpers = new Map<string, string>();
  for (const [key, name] of records(config["credHelpers"])) {
    if (typeof name === "string") credHelpers.set(normalizeKey(key), name);
  }
  return { auths, credHelpers, credsStore: text(config["credsStore"]) };
}

/** Keys that may hold the credential of a repository, the most particular first. */
function keysOf(domain: string, path: string): string[] {
  const parts = path === "" ? [] : path.split("/");
  const keys: string[] = [];
  for (let count = parts.length; count >= 0; count--) keys.push([domain, ...parts.slice(0, count)].join("/"));
  return keys;
}

/** Looks credentials up as Docker does: a helper of that registry, then the default helper, then the file. */
export function dockerCredentials(config: DockerConfig, helpers: HelperPort): CredentialSource {
  const asked = new Map<string, Promise<Credential | undefined>>();
  return async (domain, path) => {
    const helper = config.credHelpers.get(domain) ?? config.credsStore;
    if (helper !== undefined) {
      const answer = asked.get(domain) ?? askHelper(helpers, helper, domain);
      asked.set(domain, answer);
      answer.catch(() => asked.delete(domain));
      const found = await answer;
      if (found !== undefined) return found;
    }
    for (const key of keysOf(domain, path)) {
      const credential = config.auths.get(key);
      if (credential !== undefined) return credential;
    }
    return undefined;
  };
}

/** The name of a registry in helpers: its host, or Docker Hub's old address. */
export function helperKey(domain: string): string {
  return domain === HUB ? HUB_KEY : domain;
}

async function askHelper(helpers: HelperPort, name: string, domain: string): Promise<Credential | undefined> {
  const { status, output } = await helpers.run(name, "get", helperKey(domain));
  if (status !== 0) {
    if (/credentials not found/i.test(output)) return undefined;
    throw new LapError(
      "failedPrecondition",
      "ERR_LAP_CREDENTIAL_HELPER",
      `credential helper "${name}" fails for "${domain}": ${output.trim().slice(0, 200)}`,
      { hint: `check that docker-credential-${name} works, or remove it from the registry configuration` },
    );
  }
  const answer = parseJsonObject(
    new TextEncoder().encode(output),
    `answer of credential helper "${name}"`,
    MAX_HELPER_BYTES,
  );
  const username = text(answer["Username"]);
  const secret = text(answer["Secret"]);
  if (username === undefined || secret === undefined) return undefined;
  if (username === TOKEN_USER) return { kind: "identity", token: secret };
  return { kind: "basic", username, password: secret };
}
