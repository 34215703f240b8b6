// The characters of header names and values, schemes, authorities and paths (RFC 9110 5, RFC 3986 3).

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*$/;
const AUTHORITY = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:%]*@)?(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]+)(?::\d*)?$/;
const NO_PATH = /[\u0000-\u0020\u007f"<>\\^`{|}#[\]]/;

export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Visible bytes, spaces and tabs; no control characters. */
export function isFieldValue(value: Uint8Array): boolean {
  return value.every((byte) => byte === 9 || (byte >= 0x20 && byte !== 0x7f));
}

export function isScheme(text: string): boolean {
  return SCHEME.test(text);
}

export function isAuthority(text: string): boolean {
  return AUTHORITY.test(text);
}

export function isPathWithQuery(text: string): boolean {
  return !NO_PATH.test(text);
}

/** Headers that belong to the connection: the host sets them, a guest must not. */
export const FORBIDDEN_HEADERS: ReadonlySet<string> = new Set([
  "connection",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);
