// The registry client's surroundings in Node: HTTP with the proxy of the environment, credentials from the files that docker and podman
// keep them in, TLS material from folders.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { RegistryHost, RegistryOptions } from "../registry/types.ts";
import { dockerCredentials, parseDockerConfig } from "../registry/docker-config.ts";
import { eraseLogin, storeLogin } from "../registry/login.ts";
import type { Credential, CredentialSource } from "../registry/types.ts";
import { certificateFolders } from "./certificates.ts";
import { nodeHelpers } from "./credential-helper.ts";
import { nodeHttp } from "./http.ts";
import { nodeClock, nodeHash } from "./ports.ts";

/** Where logins are kept. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What a Node program says about registries. */
export interface NodeRegistryOptions {
  /** Default: the process's. */
  readonly env?: Environment | undefined;
  /** Folders of certificates by host; default /etc/docker/certs.d. */
  readonly certificates?: string | undefined;
  /** Hosts that may be spoken to without TLS. */
  readonly insecure?: readonly string[] | undefined;
  /** Further settings by host. */
  readonly hosts?: Readonly<Record<string, RegistryHost>> | undefined;
}

const CERTIFICATES = "/etc/docker/certs.d";

/** A variable's value; an empty one counts as unset. */
function variable(env: Environment, name: string): string | undefined {
  const value = env[name];
  return value === "" ? undefined : value;
}

/** The file that logins are written to: $DOCKER_CONFIG/config.json, else the one in the home folder. */
export function loginFile(env: Environment): string {
  const folder = variable(env, "DOCKER_CONFIG") ?? join(variable(env, "HOME") ?? homedir(), ".docker");
  return join(folder, "config.json");
}

/** Files that may hold logins, the first match wins: podman's explicit one, docker's, podman's. */
function loginFiles(env: Environment): string[] {
  const explicit = variable(env, "REGISTRY_AUTH_FILE");
  const runtime = variable(env, "XDG_RUNTIME_DIR");
  return [
    ...(explicit === undefined ? [] : [explicit]),
    loginFile(env),
    ...(runtime === undefined ? [] : [join(runtime, "containers/auth.json")]),
  ];
}

function read(file: string): Uint8Array | undefined {
  return existsSync(file) ? readFileSync(file) : undefined;
}

/** Credentials from the login files of `env`, read when first asked. Throws `ERR_LAP_JSON_INVALID` for a broken file. */
export function nodeCredentials(env: Environment): CredentialSource {
  let sources: CredentialSource[] | undefined;
  return async (domain, path) => {
    sources ??= loginFiles(env).flatMap((file) => {
      const bytes = read(file);
      return bytes === undefined ? [] : [dockerCredentials(parseDockerConfig(bytes), nodeHelpers)];
    });
    for (const source of sources) {
      const found = await source(domain, path);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

/** Keeps or, with undefined, forgets the login of a registry; false when there was none to forget. */
export async function keepLogin(
  env: Environment,
  domain: string,
  credential: Credential | undefined,
): Promise<boolean> {
  const file = loginFile(env);
  const before = read(file);
  const after =
    credential === undefined
      ? await eraseLogin(before, domain, nodeHelpers)
      : await storeLogin(before, domain, credential, nodeHelpers);
  if (after === undefined) return false;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, after, { mode: 0o600, flag: "wx" });
  renameSync(temporary, file);
  return true;
}

/** Everything that `openRegistryClient` needs but compression; dispose it to close idle connections. */
export function nodeRegistry(options: NodeRegistryOptions = {}): Pick<
  RegistryOptions,
  "hash" | "clock" | "credentials" | "hosts"
> & {
  readonly http: ReturnType<typeof nodeHttp>;
} & Disposable {
  const env = options.env ?? process.env;
  const http = nodeHttp({}, env);
  const tlsOf = certificateFolders(options.certificates ?? CERTIFICATES);
  return {
    http,
    hash: nodeHash,
    clock: nodeClock,
    credentials: nodeCredentials(env),
    hosts: (host) => settingsOf(host, options, tlsOf(host)),
    [Symbol.dispose]: () => http[Symbol.dispose](),
  };
}

function settingsOf(host: string, { insecure, hosts }: NodeRegistryOptions, tls: RegistryHost["tls"]): RegistryHost {
  return {
    ...(insecure?.includes(host) === true ? { plainHttp: true } : {}),
    ...(tls === undefined ? {} : { tls }),
    ...(hosts !== undefined && Object.hasOwn(hosts, host) ? hosts[host] : {}),
  };
}
