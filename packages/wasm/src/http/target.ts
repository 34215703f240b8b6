// The request line of a message under construction: method, scheme, authority, path. Both versions of wasi:http set it so.
import { HttpFailure, type HttpRequest } from "./exchange.ts";
import { isAuthority, isPathWithQuery } from "./syntax.ts";
import { checkedMethod, checkedScheme, methodOf, methodText, type Named } from "./variants.ts";

/** A setter without an error type refuses so: jco takes the payload of what is thrown. */
export function refuse(): never {
  throw Object.assign(new Error("refused"), { payload: undefined });
}

/** What a request is for. */
export class Target {
  method: Named = { tag: "get" };
  scheme: Named | undefined;
  authority: string | undefined;
  path: string | undefined;

  /** The target of a request from outside. */
  static of({ method, scheme, authority, pathWithQuery }: HttpRequest): Target {
    const target = new Target();
    target.method = methodOf(method);
    target.scheme = { tag: scheme.toUpperCase() };
    target.authority = authority;
    target.path = pathWithQuery;
    return target;
  }

  setMethod(method: Named): void {
    this.method = checkedMethod(method) ?? refuse();
  }

  setScheme(scheme: Named | undefined): void {
    this.scheme = scheme === undefined ? undefined : (checkedScheme(scheme) ?? refuse());
  }

  setAuthority(authority: string | undefined): void {
    if (authority !== undefined && !isAuthority(authority)) refuse();
    this.authority = authority;
  }

  setPath(path: string | undefined): void {
    if (path !== undefined && !isPathWithQuery(path)) refuse();
    this.path = path === "" ? "/" : path;
  }

  /** As it goes out; https when nothing was said. Throws an HttpFailure when it cannot. */
  outgoing(): Pick<HttpRequest, "method" | "scheme" | "authority" | "pathWithQuery"> {
    const scheme = (this.scheme?.val ?? this.scheme?.tag ?? "https").toLowerCase();
    if (scheme !== "http" && scheme !== "https")
      throw new HttpFailure("HTTP-protocol-error", "only http and https are sent");
    if (this.authority === undefined)
      throw new HttpFailure("HTTP-request-URI-invalid", "the request names no authority");
    return {
      method: methodText(this.method),
      scheme,
      authority: this.authority.replace(/^.*@/, ""),
      pathWithQuery: absolute(this.path),
    };
  }
}

function absolute(path: string | undefined): string {
  if (path === undefined || path === "") return "/";
  return path.startsWith("/") || path === "*" ? path : `/${path}`;
}
