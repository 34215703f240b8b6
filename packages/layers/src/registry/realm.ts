// Where credentials and tokens may be asked for: the realm of a challenge comes from the server, so it is not believed.
// Allowed: the registry's own host name, its sibling below the same parent domain, and hosts that the user named (CVE-2020-15157 is
// the same mistake made for layers).
import { LapError } from "@lapstrake/base";
import type { Endpoint } from "./types.ts";

/** Parses a URL of http or https without a user part; undefined when it is anything else. */
export function parseHttpUrl(text: string, base?: string): URL | undefined {
  const url = URL.parse(text, base);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) return undefined;
  return url.username === "" && url.password === "" ? url : undefined;
}

const ADDRESS = /^(?:\[.*\]|[0-9.]+)$/;

function parentDomain(hostname: string): string | undefined {
  if (ADDRESS.test(hostname)) return undefined;
  const labels = hostname.split(".");
  return labels.length < 2 ? undefined : labels.slice(-2).join(".");
}

function isRelated(realm: URL, registry: URL): boolean {
  if (realm.hostname === registry.hostname) return true;
  const parent = parentDomain(registry.hostname);
  return parent !== undefined && parentDomain(realm.hostname) === parent;
}

function realmError(endpoint: Endpoint, realm: string, why: string): LapError {
  return new LapError(
    "permissionDenied",
    "ERR_LAP_REGISTRY_REALM",
    `registry "${endpoint.domain}" asks for tokens at "${realm.slice(0, 200)}": ${why}`,
    { hint: `if that host is right, name it as a realm of "${endpoint.domain}"` },
  );
}

/** The realm as a URL when the registry at `endpoint` may name it; throws `ERR_LAP_REGISTRY_REALM`. */
export function checkRealm(endpoint: Endpoint, realm: string): URL {
  const url = parseHttpUrl(realm);
  if (url === undefined) throw realmError(endpoint, realm, "that is not an http address");
  const registry = new URL(endpoint.origin);
  if (url.protocol === "http:" && registry.protocol === "https:") {
    throw realmError(endpoint, realm, "it would leave TLS");
  }
  const isNamed = endpoint.settings.realms?.includes(url.host) ?? false;
  if (!isNamed && !isRelated(url, registry)) throw realmError(endpoint, realm, "that is another host");
  return url;
}
