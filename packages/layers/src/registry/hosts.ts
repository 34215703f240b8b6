// From the domain of a reference to the place where its API is spoken: Docker Hub's API host, mirrors, and which hosts may go without TLS.
import { LapError, type Reference } from "@lapstrake/base";
import type { Endpoint, Mirror, RegistryOptions } from "./types.ts";

const HUB = "docker.io";
const HUB_API = "registry-1.docker.io";

/** True for names and addresses of this machine only: localhost, 127.0.0.0/8, ::1. */
export function isLoopback(host: string): boolean {
  const name = host.startsWith("[") ? host.slice(1, host.indexOf("]")) : host.replace(/:[0-9]+$/, "");
  return name === "localhost" || name.endsWith(".localhost") || name === "::1" || /^127(?:\.[0-9]{1,3}){3}$/.test(name);
}

/** One place to ask for a reference: a mirror, or the registry itself (the last). */
export interface Place {
  readonly host: string;
  readonly path: string;
  readonly isMirror: boolean;
}

function originOf({ domain, path }: Reference): Place {
  return { host: domain, path, isMirror: false };
}

function mirrored(mirror: Mirror, { domain, path }: Reference): Place | undefined {
  const name = `${domain}/${path}`;
  const prefix = mirror.prefix.replace(/\/$/, "");
  if (name !== prefix && !name.startsWith(`${prefix}/`)) return undefined;
  const rest = prefix.includes("/") ? name.slice(prefix.length + 1) : path;
  const [host = "", ...folder] = mirror.location.replace(/\/$/, "").split("/");
  return { host, path: [...folder, rest].filter((part) => part !== "").join("/"), isMirror: true };
}

/** Where to read `reference`, in order: mirrors with the longest prefix first, then the registry itself. */
export function placesOf(reference: Reference, mirrors: readonly Mirror[] = []): Place[] {
  const usable = mirrors
    .filter((mirror) => reference.digest !== undefined || mirror.digestOnly !== true)
    .toSorted((a, b) => b.prefix.length - a.prefix.length);
  const places = usable.map((mirror) => mirrored(mirror, reference)).filter((place) => place !== undefined);
  return [...places, originOf(reference)];
}

/** Finds and remembers the scheme of hosts; `probe` tells whether TLS is spoken at an https origin. */
export class Hosts {
  readonly #options: Pick<RegistryOptions, "hosts">;
  readonly #found = new Map<string, Endpoint>();
  readonly #asked = new Map<string, Promise<Endpoint>>();
  readonly #probe: (endpoint: Endpoint) => Promise<boolean>;

  constructor(options: Pick<RegistryOptions, "hosts">, probe: (endpoint: Endpoint) => Promise<boolean>) {
    this.#options = options;
    this.#probe = probe;
  }

  /** The endpoint of a registry host as references name it. A caller that gives up leaves the question to the others. */
  async endpoint(host: string, signal?: AbortSignal): Promise<Endpoint> {
    const found = this.#found.get(host);
    if (found !== undefined) return found;
    const asked = this.#asked.get(host) ?? this.#find(host).finally(() => this.#asked.delete(host));
    this.#asked.set(host, asked);
    const endpoint = await (signal === undefined ? asked : Promise.race([asked, aborted(signal)]));
    this.#found.set(host, endpoint);
    return endpoint;
  }

  async #find(host: string): Promise<Endpoint> {
    const settings = this.#options.hosts?.(host) ?? {};
    const secure = { origin: `https://${host === HUB ? HUB_API : host}`, domain: host, settings };
    const plain = { ...secure, origin: `http://${host}` };
    checkHost(secure.origin, host);
    if (settings.plainHttp !== undefined) return settings.plainHttp ? plain : secure;
    if (!isLoopback(host)) return secure;
    return (await this.#probe(secure)) ? secure : plain;
  }
}

/** Rejects when the signal is aborted; never settles otherwise. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    else signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}

function checkHost(origin: string, host: string): void {
  const url = URL.parse(origin);
  if (url !== null && url.pathname === "/" && url.username === "" && url.search === "" && url.hash === "") return;
  throw new LapError("invalidArgument", "ERR_LAP_REGISTRY_HOST", `invalid registry host "${host}"`, {
    hint: "a registry host is a name or address, with :port when it is not the default",
  });
}
