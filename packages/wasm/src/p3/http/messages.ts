// wasi:http/types 0.3: request and response. A message is made by the guest (`new`) or received by the host.
import { HttpFailure, type HttpRequest, type HttpResponse } from "../../http/exchange.ts";
import { isAuthority, isPathWithQuery, isScheme, isToken } from "../../http/syntax.ts";
import type { Outcome } from "../streams.ts";
import { bodyOf, contentOf, errorCodeOf, type GuestContent, type HttpErrorCode, type ReadContent } from "./body.ts";
import type { Fields } from "./fields.ts";
import { Fields as FieldsClass } from "./fields.ts";
import type { RequestOptions } from "./options.ts";

/** The variants `method` and `scheme`. */
interface Named {
  readonly tag: string;
  readonly val?: string;
}

type Sent = Outcome<HttpErrorCode>;

/** A setter without an error type refuses so: jco takes the payload of what is thrown. */
function refuse(): never {
  throw Object.assign(new Error("refused"), { payload: undefined });
}

/** Content of a message, and the future that tells whether it was sent. */
class Content {
  readonly #guest: GuestContent | undefined;
  readonly #received: HttpRequest["body"];
  readonly sent: Promise<Sent>;
  #settle: (outcome: Sent) => void = () => undefined;

  constructor(guest: GuestContent | undefined, received: HttpRequest["body"]) {
    this.#guest = guest;
    this.#received = received;
    this.sent = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  get body(): HttpRequest["body"] {
    return this.#guest === undefined ? this.#received : bodyOf(this.#guest, this.#settle);
  }

  fail(error: unknown): void {
    this.#settle({ tag: "err", val: errorCodeOf(error) });
  }

  get hasStream(): boolean {
    return this.#guest === undefined ? this.#received !== undefined : this.#guest.stream !== undefined;
  }

  done(): void {
    this.#settle({ tag: "ok", val: undefined });
  }
}

const METHODS: ReadonlySet<string> = new Set("get head post put delete connect options trace patch".split(" "));

export class Request {
  readonly #headers: Fields;
  readonly #content: Content;
  readonly #options: RequestOptions | undefined;
  #method: Named = { tag: "get" };
  #scheme: Named | undefined;
  #authority: string | undefined;
  #path: string | undefined;

  private constructor(headers: Fields, content: Content, options: RequestOptions | undefined) {
    this.#headers = headers.freeze();
    this.#content = content;
    this.#options = options?.freeze();
  }

  static new(
    headers: Fields,
    stream: GuestContent["stream"],
    trailers: GuestContent["trailers"],
    options: RequestOptions | undefined,
  ): [Request, Promise<Sent>] {
    const content = new Content({ stream, trailers }, undefined);
    return [new Request(headers, content, options), content.sent];
  }

  /** A request from outside. */
  static received({ method, scheme, authority, pathWithQuery, headers, body }: HttpRequest): Request {
    const request = new Request(FieldsClass.received(headers), new Content(undefined, body), undefined);
    const lower = method.toLowerCase();
    request.#method = METHODS.has(lower) ? { tag: lower } : { tag: "other", val: method };
    request.#scheme = { tag: scheme.toUpperCase() };
    request.#authority = authority;
    request.#path = pathWithQuery;
    return request;
  }

  getMethod(): Named {
    return this.#method;
  }

  setMethod(method: Named): void {
    if (method.tag === "other" && !isToken(method.val ?? "")) refuse();
    const lower = (method.val ?? "").toLowerCase();
    this.#method =
      method.tag === "other" && METHODS.has(lower) && method.val === lower.toUpperCase() ? { tag: lower } : method;
  }

  getPathWithQuery(): string | undefined {
    return this.#path;
  }

  setPathWithQuery(path: string | undefined): void {
    if (path !== undefined && !isPathWithQuery(path)) refuse();
    this.#path = path === "" ? "/" : path;
  }

  getScheme(): Named | undefined {
    return this.#scheme;
  }

  setScheme(scheme: Named | undefined): void {
    if (scheme?.tag === "other" && !isScheme(scheme.val ?? "")) refuse();
    const known = scheme?.tag === "other" && /^https?$/.test(scheme.val ?? "");
    this.#scheme = known ? { tag: scheme.val!.toUpperCase() } : scheme;
  }

  getAuthority(): string | undefined {
    return this.#authority;
  }

  setAuthority(authority: string | undefined): void {
    if (authority !== undefined && !isAuthority(authority)) refuse();
    this.#authority = authority;
  }

  getOptions(): RequestOptions | undefined {
    return this.#options?.clone().freeze();
  }

  getHeaders(): Fields {
    return this.#headers.clone().freeze();
  }

  static consumeBody(request: Request): ReadContent {
    return contentOf(request.#content.body);
  }

  /** Sends the request; its future tells how that went. */
  async send(
    send: (request: HttpRequest, options: RequestOptions | undefined) => Promise<HttpResponse>,
  ): Promise<Response> {
    try {
      const response = Response.received(await send(this.#outgoing(), this.#options));
      this.#content.done();
      return response;
    } catch (error) {
      this.#content.fail(error);
      throw errorCodeOf(error);
    }
  }

  #outgoing(): HttpRequest {
    const scheme = (this.#scheme?.tag ?? "HTTPS").toLowerCase();
    if (scheme !== "http" && scheme !== "https")
      throw new HttpFailure("HTTP-protocol-error", "only http and https are sent");
    if (this.#authority === undefined)
      throw new HttpFailure("HTTP-request-URI-invalid", "the request names no authority");
    return {
      method: this.#method.val ?? this.#method.tag.toUpperCase(),
      scheme,
      authority: this.#authority.replace(/^.*@/, ""),
      pathWithQuery: absolute(this.#path),
      headers: this.#headers.entries,
      body: this.#content.hasStream ? this.#content.body : undefined,
    };
  }
}

function absolute(path: string | undefined): string {
  if (path === undefined || path === "") return "/";
  return path.startsWith("/") || path === "*" ? path : `/${path}`;
}

export class Response {
  readonly #headers: Fields;
  readonly #content: Content;
  #status = 200;

  private constructor(headers: Fields, content: Content) {
    this.#headers = headers.freeze();
    this.#content = content;
  }

  static new(
    headers: Fields,
    stream: GuestContent["stream"],
    trailers: GuestContent["trailers"],
  ): [Response, Promise<Sent>] {
    const content = new Content({ stream, trailers }, undefined);
    return [new Response(headers, content), content.sent];
  }

  /** A response from outside. */
  static received({ status, headers, body }: HttpResponse): Response {
    const response = new Response(FieldsClass.received(headers), new Content(undefined, body));
    response.#status = status;
    return response;
  }

  getStatusCode(): number {
    return this.#status;
  }

  setStatusCode(status: number): void {
    if (status < 100 || status > 599) refuse();
    this.#status = status;
  }

  getHeaders(): Fields {
    return this.#headers.clone().freeze();
  }

  static consumeBody(response: Response): ReadContent {
    return contentOf(response.#content.body);
  }

  /** The response as a plain value. */
  get outgoing(): HttpResponse {
    return { status: this.#status, headers: this.#headers.entries, body: this.#content.body };
  }
}
