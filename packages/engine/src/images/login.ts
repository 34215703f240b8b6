// Logins of registries, kept where docker keeps them: config.json of its client, or the credential helper that it names.
import { LapError, isLapError } from "@lapstrake/base";
import { dockerCredentials, eraseLogin, parseDockerConfig, storeLogin, type Credential } from "@lapstrake/layers";
import { nodeHelpers } from "@lapstrake/layers/node";
import { configPath, readConfig, readLogins, writeConfig } from "./docker-config.ts";
import { openClient } from "./registry.ts";
import { inDockersWords, schemeOf } from "./registry-words.ts";

const HUB = "docker.io";
const HUB_NAMES: ReadonlySet<string> = new Set([HUB, "index.docker.io", "registry-1.docker.io"]);

/** What people type behind login -> the domain of references; no name is Docker Hub. */
export function registryDomain(server: string | undefined): string {
  const bare = (server ?? HUB).replace(/^https?:\/\//, "").split("/", 1)[0]!;
  return bare === "" || HUB_NAMES.has(bare) ? HUB : bare;
}

/** Asks the registry and keeps the login. Returns the file it is in, in clear; undefined when a helper has it. */
export async function registryLogin(domain: string, credential: Credential): Promise<string | undefined> {
  await inDockersWords(async () => {
    using registry = openClient(() => Promise.resolve(credential));
    await registry.client.ping(domain);
  }).catch((error: unknown) => {
    if (!isLapError(error) || error.code !== "ERR_LAP_REGISTRY_UNAUTHENTICATED") throw error;
    const text = `login attempt to ${schemeOf(domain)}://${domain}/v2/ failed with status: 401 Unauthorized`;
    throw new LapError(error.kind, error.code, text, { cause: error });
  });
  const file = readConfig();
  const bytes = await storeLogin(file, domain, credential, nodeHelpers);
  writeConfig(bytes);
  const { credHelpers, credsStore } = parseDockerConfig(bytes);
  return credHelpers.get(domain) === undefined && credsStore === undefined ? configPath() : undefined;
}

/** The user and password that are known of a registry; undefined when there are none, or a token instead. */
export async function storedLogin(domain: string): Promise<Extract<Credential, { kind: "basic" }> | undefined> {
  const found = await dockerCredentials(readLogins(), nodeHelpers)(domain, "");
  return found?.kind === "basic" ? found : undefined;
}

/** Forgets a login; nothing happens when there is none. */
export async function registryLogout(domain: string): Promise<void> {
  const bytes = await eraseLogin(readConfig(), domain, nodeHelpers);
  if (bytes !== undefined) writeConfig(bytes);
}
