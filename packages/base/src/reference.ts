// Image references: the distribution reference grammar, with Docker's familiar names ("alpine" is
// docker.io/library/alpine:latest). Round trip: parseReference(formatReference(r)) equals r.
import { isDigest, type Digest } from "./digest.ts";
import { LapError } from "./errors.ts";

/** A parsed image reference. At least one of `tag` and `digest` is set after {@link parseReference}. */
export interface Reference {
  /** Registry host, with port when given: `docker.io`, `localhost:5000`. */
  readonly domain: string;
  /** Repository path without the domain: `library/alpine`. */
  readonly path: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

const DEFAULT_DOMAIN = "docker.io";
const OFFICIAL = "library/";
const DOMAIN_PART = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const DOMAIN = new RegExp(`^(?:${DOMAIN_PART}(?:\\.${DOMAIN_PART})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const PATH_PART = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const PATH = new RegExp(`^${PATH_PART}(?:/${PATH_PART})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const MAX_NAME_LENGTH = 255;

function invalid(text: string, why: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_REFERENCE_INVALID", "invalid reference format" + why, {
    detail: { reference: text.slice(0, 300) },
  });
}

function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const isDomain = first.includes(".") || first.includes(":") || first === "localhost" || first !== first.toLowerCase();
  if (!isDomain) return { domain: DEFAULT_DOMAIN, path: name.includes("/") ? name : OFFICIAL + name };
  const path = name.slice(slash + 1);
  const domain = first === "index.docker.io" ? DEFAULT_DOMAIN : first;
  return { domain, path: domain === DEFAULT_DOMAIN && !path.includes("/") ? OFFICIAL + path : path };
}

/** Parses `[domain/]path[:tag][@digest]`; a reference with neither gets the tag `latest`. Throws `ERR_LAP_REFERENCE_INVALID`. */
export function parseReference(text: string): Reference {
  if (/^[a-f0-9]{64}$/.test(text)) throw invalid(text, ": cannot specify 64-byte hexadecimal strings");
  let rest = text;
  let digest: Digest | undefined;
  const at = rest.indexOf("@");
  if (at >= 0) {
    const candidate = rest.slice(at + 1);
    if (!isDigest(candidate)) throw invalid(text, "");
    digest = candidate;
    rest = rest.slice(0, at);
  }
  let tag: string | undefined;
  const colon = rest.lastIndexOf(":");
  if (colon > rest.lastIndexOf("/")) {
    tag = rest.slice(colon + 1);
    rest = rest.slice(0, colon);
    if (!TAG.test(tag)) throw invalid(text, "");
  }
  const { domain, path } = splitDomain(rest);
  if (path !== path.toLowerCase()) throw invalid(text, `: repository name (${path}) must be lowercase`);
  if (!DOMAIN.test(domain) || !PATH.test(path)) throw invalid(text, "");
  if (domain.length + 1 + path.length > MAX_NAME_LENGTH) {
    throw invalid(text, `: repository name must not be more than ${MAX_NAME_LENGTH} characters`);
  }
  return { domain, path, tag: tag ?? (digest === undefined ? "latest" : undefined), digest };
}

/** Full form: `docker.io/library/alpine:latest`. */
export function formatReference(ref: Reference): string {
  return `${ref.domain}/${ref.path}${suffix(ref)}`;
}

/** The form Docker prints and people type: `alpine:latest`, `localhost:5000/x:1`. */
export function familiarReference(ref: Reference): string {
  return `${familiarName(ref)}${suffix(ref)}`;
}

/** The repository alone in its familiar form: `alpine`. */
export function familiarName(ref: Reference): string {
  if (ref.domain !== DEFAULT_DOMAIN) return `${ref.domain}/${ref.path}`;
  const short = ref.path.startsWith(OFFICIAL) ? ref.path.slice(OFFICIAL.length) : ref.path;
  return short.includes("/") ? ref.path : short;
}

function suffix(ref: Reference): string {
  return (ref.tag === undefined ? "" : `:${ref.tag}`) + (ref.digest === undefined ? "" : `@${ref.digest}`);
}
