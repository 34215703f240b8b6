// wasi:http/types 0.2: what comes from outside, requests and responses with their bodies.
import type { HttpBody, HttpRequest, HttpResponse } from "../../http/exchange.ts";
import { Target, refuse } from "../../http/target.ts";
import type { Named } from "../../http/variants.ts";
import type { ComponentHost } from "../host.ts";
import { BodyInput } from "./bodies.ts";
import { Arriving, Fields } from "./values.ts";

/** future-trailers and future-incoming-response. */
export class FutureTrailers extends Arriving<Fields | undefined> {}
export class FutureIncomingResponse extends Arriving<IncomingResponse> {}

export class IncomingBody {
  readonly #host: ComponentHost;
  readonly #body: HttpBody;
  #streamed = false;

  constructor(host: ComponentHost, body: HttpBody) {
    this.#host = host;
    this.#body = body;
  }

  stream(): BodyInput {
    if (this.#streamed) refuse();
    this.#streamed = true;
    return new BodyInput(this.#host, this.#body);
  }

  static finish(body: IncomingBody): FutureTrailers {
    const trailers = body.#body.trailers.then((list) => (list === undefined ? undefined : Fields.received(list)));
    return new FutureTrailers(body.#host, trailers);
  }
}

/** A message from outside: its headers, and its body once. */
class Incoming {
  readonly #host: ComponentHost;
  readonly #message: Pick<HttpRequest, "headers" | "body">;
  #consumed = false;

  constructor(host: ComponentHost, message: Pick<HttpRequest, "headers" | "body">) {
    this.#host = host;
    this.#message = message;
  }

  headers(): Fields {
    return Fields.received(this.#message.headers);
  }

  consume(): IncomingBody {
    if (this.#consumed) refuse();
    this.#consumed = true;
    return new IncomingBody(this.#host, this.#message.body ?? EMPTY_BODY);
  }
}

const EMPTY_BODY: HttpBody = {
  chunks: { [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }) },
  trailers: Promise.resolve(undefined),
};

export class IncomingRequest extends Incoming {
  readonly #target: Target;

  constructor(host: ComponentHost, request: HttpRequest) {
    super(host, request);
    this.#target = Target.of(request);
  }

  method(): Named {
    return this.#target.method;
  }

  pathWithQuery(): string | undefined {
    return this.#target.path;
  }

  scheme(): Named | undefined {
    return this.#target.scheme;
  }

  authority(): string | undefined {
    return this.#target.authority;
  }
}

export class IncomingResponse extends Incoming {
  readonly #status: number;

  constructor(host: ComponentHost, response: HttpResponse) {
    super(host, response);
    this.#status = response.status;
  }

  status(): number {
    return this.#status;
  }
}
