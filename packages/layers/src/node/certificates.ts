// TLS material of registries from folders, one per host as other engines lay them out (docker's certs.d): `*.crt` are authorities,
// `NAME.cert` with `NAME.key` is a client certificate.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { LapError, type HttpTls } from "@lapstrake/base";

function list(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function readPair(folder: string, names: readonly string[]): Pick<HttpTls, "cert" | "key"> {
  const cert = names.find((name) => name.endsWith(".cert"));
  if (cert === undefined) return {};
  const key = cert.replace(/cert$/, "key");
  if (!names.includes(key)) {
    throw new LapError("failedPrecondition", "ERR_LAP_REGISTRY_CERTIFICATE", `"${join(folder, cert)}" has no key`, {
      hint: `put its key beside it as "${key}"`,
    });
  }
  return { cert: readFileSync(join(folder, cert), "utf8"), key: readFileSync(join(folder, key), "utf8") };
}

/** TLS material of one folder; undefined when it holds none. Throws `ERR_LAP_REGISTRY_CERTIFICATE` for a certificate without key. */
export function readCertificates(folder: string): HttpTls | undefined {
  const names = list(folder);
  const ca = names.filter((name) => name.endsWith(".crt")).map((name) => readFileSync(join(folder, name), "utf8"));
  const pair = readPair(folder, names);
  if (ca.length === 0 && pair.cert === undefined) return undefined;
  return { ...pair, ...(ca.length === 0 ? {} : { ca }) };
}

const HOST = /^(?:[A-Za-z0-9.-]+|\[[A-Fa-f0-9:]+\])(?::[0-9]+)?$/;

/** A lookup by host (`registry.example:5000`) below `root`, read once per host. Hosts that cannot be folder names have none. */
export function certificateFolders(root: string): (host: string) => HttpTls | undefined {
  const known = new Map<string, HttpTls | undefined>();
  return (host) => {
    if (!HOST.test(host) || host.startsWith(".")) return undefined;
    if (!known.has(host)) known.set(host, readCertificates(join(root, host)));
    return known.get(host);
  };
}
