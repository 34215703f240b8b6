// wasi:http/types 0.3: request and response. A message is made by the guest (`new`) or received by the host.
import type { HttpRequest, HttpResponse } from "../../http/exchange.ts";
import { Fields } from "../../http/fields.ts";
import { Target, refuse } from "../../http/target.ts";
import type { Named } from "../../http/variants.ts";
import type { Outcome } from "../streams.ts";
import { bodyOf, contentOf, errorCodeOf, type GuestContent, type HttpErrorCode, type ReadContent } from "./body.ts";
import type { RequestOptions } from "./options.ts";

type Sent = Outcome<HttpErrorCode>;

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

export class Request {
  readonly #headers: Fields;
  readonly #content: Content;
  readonly #options: RequestOptions | undefined;
  #target = new Target();

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
  static received(incoming: HttpRequest): Request {
    const content = new Content(undefined, incoming.body);
    const request = new Request(Fields.received(incoming.headers), content, undefined);
    request.#target = Target.of(incoming);
    return request;
  }

  getMethod(): Named {
    return this.#target.method;
  }

  setMethod(method: Named): void {
    this.#target.setMethod(method);
  }

  getPathWithQuery(): string | undefined {
    return this.#target.path;
  }

  setPathWithQuery(path: string | undefined): void {
    this.#target.setPath(path);
  }

  getScheme(): Named | undefined {
    return this.#target.scheme;
  }

  setScheme(scheme: Named | undefined): void {
    this.#target.setScheme(scheme);
  }

  getAuthority(): string | undefined {
    return this.#target.authority;
  }

  setAuthority(authority: string | undefined): void {
    this.#target.setAuthority(authority);
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
    const body = this.#content.hasStream ? this.#content.body : undefined;
    return { ...this.#target.outgoing(), headers: this.#headers.list, body };
  }
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
    const response = new Response(Fields.received(headers), new Content(undefined, body));
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
    return { status: this.#status, headers: this.#headers.list, body: this.#content.body };
  }
}
