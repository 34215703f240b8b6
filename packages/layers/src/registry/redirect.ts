// Following redirects by hand, because what travels with them is decided here: the Authorization header stays on its origin, TLS is
// not left, and a public registry cannot point us at this machine or its link (advisories GHSA-742w-89gc-8m9c, CVE-2020-15157).
import { LapError, type HttpResponse } from "@lapstrake/base";
import { isLoopback } from "./hosts.ts";
import { MAX_HEADER_LENGTH } from "./limits.ts";
import { parseHttpUrl } from "./realm.ts";

const STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const LINK_LOCAL = /^(?:169\.254\.|\[fe[89ab])/;

/** True when the response sends GET and HEAD elsewhere. */
export function isRedirect(response: HttpResponse): boolean {
  return STATUSES.has(response.status) && response.headers["location"] !== undefined;
}

function redirectError(from: string, why: string): LapError {
  return new LapError("permissionDenied", "ERR_LAP_REGISTRY_REDIRECT", `redirect from "${new URL(from).host}": ${why}`);
}

/** The address that a Location header names, when it may be followed from `from`; throws `ERR_LAP_REGISTRY_REDIRECT`. */
export function checkLocation(from: string, location: string | undefined): string {
  if (location === undefined || location.length > MAX_HEADER_LENGTH) throw redirectError(from, "no usable location");
  const target = parseHttpUrl(location, from);
  const source = new URL(from);
  if (target === undefined) throw redirectError(from, "the location is not an http address");
  // A registry behind a proxy that ends TLS names itself without it.
  if (source.protocol === "https:" && target.host === source.host) target.protocol = "https:";
  if (source.protocol === "https:" && target.protocol === "http:") throw redirectError(from, "it would leave TLS");
  const isInward = isLoopback(target.host) || LINK_LOCAL.test(target.host);
  if (isInward && !isLoopback(source.host) && target.host !== source.host) {
    throw redirectError(from, `"${target.host}" is an address of this machine`);
  }
  target.hash = "";
  return target.href;
}

/** True when both addresses have one scheme, host and port. */
export function sameOrigin(a: string, b: string): boolean {
  return new URL(a).origin === new URL(b).origin;
}

/** The error for a chain without an end. */
export function tooManyRedirects(from: string, most: number): LapError {
  return redirectError(from, `more than ${most} redirects`);
}
