// Keeping a login: into the registry configuration (config.json), or into the credential helper that it names. Other programs' fields
// stay as they are; writing the file is the caller's.
import { LapError, parseJsonObject } from "@lapstrake/base";
import { basicHeader } from "./basic.ts";
import { helperKey, normalizeKey, parseDockerConfig, type DockerConfig, type HelperPort } from "./docker-config.ts";
import type { Credential } from "./types.ts";

const MAX_CONFIG_FILE_BYTES: number = 4 * 1024 * 1024;

/** The helper that keeps the login of a registry; undefined when the file does. */
function helperOf(config: DockerConfig, domain: string): string | undefined {
  return config.credHelpers.get(domain) ?? config.credsStore;
}

function entryOf(credential: Credential): Record<string, string> {
  if (credential.kind === "basic")
    return { auth: basicHeader(credential.username, credential.password).slice("Basic ".length) };
  return credential.kind === "identity" ? { identitytoken: credential.token } : { registrytoken: credential.token };
}

function withoutKeys(auths: unknown, domain: string): Record<string, unknown> {
  const entries = typeof auths === "object" && auths !== null ? Object.entries(auths) : [];
  return Object.fromEntries(entries.filter(([key]) => normalizeKey(key) !== domain));
}

function encode(config: object): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(config, undefined, "\t")}\n`);
}

function parse(bytes: Uint8Array | undefined): Record<string, unknown> {
  return bytes === undefined ? {} : parseJsonObject(bytes, "registry configuration", MAX_CONFIG_FILE_BYTES);
}

/** Keeps a login: with the helper when one is named, else in the file's new bytes, which are returned. */
export async function storeLogin(
  file: Uint8Array | undefined,
  domain: string,
  credential: Credential,
  helpers: HelperPort,
): Promise<Uint8Array> {
  const config = parse(file);
  const helper = helperOf(parseDockerConfig(encode(config)), domain);
  const others = withoutKeys(config["auths"], domain);
  if (helper === undefined)
    return encode({ ...config, auths: { ...others, [helperKey(domain)]: entryOf(credential) } });
  await tellHelper(helpers, helper, "store", helperSecret(domain, credential));
  return encode({ ...config, auths: { ...others, [helperKey(domain)]: {} } });
}

/** Forgets a login; the file's new bytes, undefined when there was none. */
export async function eraseLogin(
  file: Uint8Array | undefined,
  domain: string,
  helpers: HelperPort,
): Promise<Uint8Array | undefined> {
  const config = parse(file);
  const helper = helperOf(parseDockerConfig(encode(config)), domain);
  if (helper !== undefined) await tellHelper(helpers, helper, "erase", helperKey(domain));
  const auths = withoutKeys(config["auths"], domain);
  const hadEntry = Object.keys((config["auths"] as object | undefined) ?? {}).length > Object.keys(auths).length;
  return hadEntry ? encode({ ...config, auths }) : undefined;
}

function helperSecret(domain: string, credential: Credential): string {
  const isBasic = credential.kind === "basic";
  return JSON.stringify({
    ServerURL: helperKey(domain),
    Username: isBasic ? credential.username : "<token>",
    Secret: isBasic ? credential.password : credential.token,
  });
}

async function tellHelper(helpers: HelperPort, name: string, verb: "store" | "erase", input: string): Promise<void> {
  const { status, output } = await helpers.run(name, verb, input);
  if (status === 0) return;
  const message = `credential helper "${name}" cannot ${verb} a login: ${output.trim().slice(0, 200)}`;
  throw new LapError("failedPrecondition", "ERR_LAP_CREDENTIAL_HELPER", message, {
    hint: `check that docker-credential-${name} works, or remove it from the registry configuration`,
  });
}
