// wasi:http/types 0.2 for one component: incoming and outgoing requests, responses and bodies.
import {
  HttpFailure,
  type HttpBody,
  type HttpHeaders,
  type HttpRequest,
  type HttpResponse,
  type HttpSend,
} from "../../http/exchange.ts";
import { Fields as CommonFields } from "../../http/fields.ts";
import { Target, refuse } from "../../http/target.ts";
import type { Named } from "../../http/variants.ts";
import type { ComponentHost, Interface } from "../host.ts";
import type { StreamFailure } from "../streams.ts";
import { BodyFailure, BodyInput, BodyOutput, BodyQueue } from "./bodies.ts";
import { PromisePollable } from "./poll.ts";

type Result<T, E> = { readonly tag: "ok"; readonly val: T } | { readonly tag: "err"; readonly val: E };

/** error-code. */
interface ErrorCode {
  readonly tag: string;
  readonly val?: unknown;
}

function errorCodeOf(error: unknown): ErrorCode {
  if (error instanceof HttpFailure) return { tag: error.tag, val: error.val };
  return { tag: "internal-error", val: error instanceof Error ? error.message : "failed" };
}

/** Fields of 0.2. */
export class Fields extends CommonFields {
  static override received(entries: HttpHeaders): Fields {
    return new Fields().takeFrom(CommonFields.received(entries)).freeze();
  }

  static override fromList(entries: Parameters<typeof CommonFields.fromList>[0]): Fields {
    return new Fields().takeFrom(CommonFields.fromList(entries));
  }

  entries(): ReturnType<CommonFields["copyAll"]> {
    return this.copyAll();
  }

  override clone(): Fields {
    return new Fields().takeFrom(this);
  }
}

/** A value that arrives once and is taken once: `get` of 0.2's futures. */
class Arriving<T> {
  readonly #host: ComponentHost;
  readonly #promise: Promise<void>;
  #value: Result<T, ErrorCode> | undefined;
  #taken = false;

  constructor(host: ComponentHost, promise: Promise<T>) {
    this.#host = host;
    this.#promise = promise.then(
      (val) => {
        this.#value = { tag: "ok", val };
      },
      (error: unknown) => {
        this.#value = { tag: "err", val: errorCodeOf(error) };
      },
    );
  }

  subscribe(): PromisePollable {
    return new PromisePollable(
      this.#host,
      () => this.#value !== undefined,
      () => this.#promise,
    );
  }

  get(): Result<Result<T, ErrorCode>, void> | undefined {
    if (this.#value === undefined) return undefined;
    if (this.#taken) return { tag: "err", val: undefined };
    this.#taken = true;
    return { tag: "ok", val: this.#value };
  }
}

/** future-trailers and future-incoming-response. */
class FutureTrailers extends Arriving<Fields | undefined> {}
class FutureIncomingResponse extends Arriving<IncomingResponse> {}

class IncomingBody {
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

class IncomingResponse extends Incoming {
  readonly #status: number;

  constructor(host: ComponentHost, response: HttpResponse) {
    super(host, response);
    this.#status = response.status;
  }

  status(): number {
    return this.#status;
  }
}

/** Where a guest puts its response. */
export interface Outparam {
  readonly param: object;
  readonly response: Promise<HttpResponse>;
  /** The guest is gone: a response that was not set, or whose body was not finished, fails. */
  readonly abandon: (failure: HttpFailure) => void;
}

/** The types that a guest makes itself, and so must be made for each component: their constructors know no host. */
export interface GuestTypes {
  readonly types: Interface;
  readonly handle: (request: unknown, options: unknown) => object;
  /** A handle for `set`, and the response that it is given. */
  readonly outparam: () => Outparam;
}

export function guestTypes(host: ComponentHost, send: HttpSend): GuestTypes {
  class OutgoingBody {
    readonly queue: BodyQueue = new BodyQueue();
    #written = false;

    write(): BodyOutput {
      if (this.#written) refuse();
      this.#written = true;
      return new BodyOutput(host, this.queue);
    }

    static finish(body: OutgoingBody, trailers: Fields | undefined): void {
      body.queue.end(trailers?.list);
    }

    [Symbol.dispose](): void {
      this.queue.fail(new HttpFailure("HTTP-response-incomplete", "the guest dropped a body it had not finished"));
    }
  }

  /** Headers and a body that may be asked for once. */
  class Outgoing {
    readonly #headers: Fields;
    outgoingBody: OutgoingBody | undefined;

    constructor(headers: Fields) {
      this.#headers = headers.freeze();
    }

    get list(): HttpHeaders {
      return this.#headers.list;
    }

    headers(): Fields {
      return this.#headers.clone().freeze();
    }

    body(): OutgoingBody {
      if (this.outgoingBody !== undefined) refuse();
      this.outgoingBody = new OutgoingBody();
      return this.outgoingBody;
    }
  }

  class OutgoingRequest extends Outgoing {
    readonly target: Target = new Target();

    method(): Named {
      return this.target.method;
    }

    setMethod(method: Named): void {
      this.target.setMethod(method);
    }

    pathWithQuery(): string | undefined {
      return this.target.path;
    }

    setPathWithQuery(path: string | undefined): void {
      this.target.setPath(path);
    }

    scheme(): Named | undefined {
      return this.target.scheme;
    }

    setScheme(scheme: Named | undefined): void {
      this.target.setScheme(scheme);
    }

    authority(): string | undefined {
      return this.target.authority;
    }

    setAuthority(authority: string | undefined): void {
      this.target.setAuthority(authority);
    }
  }

  class OutgoingResponse extends Outgoing {
    #status = 200;

    statusCode(): number {
      return this.#status;
    }

    setStatusCode(status: number): void {
      if (status < 100 || status > 599) refuse();
      this.#status = status;
    }
  }

  class ResponseOutparam {
    #settle: (response: Promise<HttpResponse>) => void = () => undefined;
    readonly response: Promise<HttpResponse>;
    #set: OutgoingResponse | undefined;

    constructor() {
      this.response = new Promise((resolve) => {
        this.#settle = resolve;
      });
      this.response.catch(() => undefined);
    }

    abandon(failure: HttpFailure): void {
      this.#settle(failing(failure));
      this.#set?.outgoingBody?.queue.fail(failure);
    }

    static set(param: ResponseOutparam, result: Result<OutgoingResponse, ErrorCode>): void {
      if (result.tag === "ok") {
        param.#set = result.val;
        param.#settle(Promise.resolve(responseOf(result.val)));
      } else
        param.#settle(failing(new HttpFailure(result.val.tag, "the guest answered with an error", result.val.val)));
    }

    sendInformational(): never {
      throw { tag: "internal-error", val: "informational responses are not sent" };
    }
  }

  function responseOf(response: OutgoingResponse): HttpResponse {
    return { status: response.statusCode(), headers: response.list, body: response.outgoingBody?.queue };
  }

  async function exchange(request: OutgoingRequest, options: RequestOptions | undefined): Promise<IncomingResponse> {
    const { target, list, outgoingBody } = request;
    const outgoing: HttpRequest = { ...target.outgoing(), headers: list, body: outgoingBody?.queue };
    return new IncomingResponse(host, await send(outgoing, options?.timeouts ?? {}));
  }

  return {
    types: {
      Fields,
      FutureIncomingResponse,
      FutureTrailers,
      IncomingBody,
      IncomingRequest,
      IncomingResponse,
      OutgoingBody,
      OutgoingRequest,
      OutgoingResponse,
      RequestOptions,
      ResponseOutparam,
      httpErrorCode: (error: StreamFailure) => (error instanceof BodyFailure ? errorCodeOf(error.failure) : undefined),
    },
    handle: (request, options) =>
      new FutureIncomingResponse(host, exchange(request as OutgoingRequest, options as RequestOptions | undefined)),
    outparam() {
      const param = new ResponseOutparam();
      const abandon = (failure: HttpFailure): void => param.abandon(failure);
      return { param, response: param.response, abandon };
    },
  };
}

const NS_PER_MS = 1_000_000n;

/** A rejection that nobody needs to hear. */
function failing(failure: HttpFailure): Promise<never> {
  const rejected = Promise.reject(failure);
  rejected.catch(() => undefined);
  return rejected;
}

/** request-options of 0.2: durations in nanoseconds. */
class RequestOptions {
  #connect: bigint | undefined;
  #firstByte: bigint | undefined;
  #betweenBytes: bigint | undefined;

  get timeouts(): Parameters<HttpSend>[1] {
    const ms = (ns: bigint | undefined): number | undefined =>
      ns === undefined ? undefined : Number(ns / NS_PER_MS) || 1;
    return { connectMs: ms(this.#connect), firstByteMs: ms(this.#firstByte), betweenBytesMs: ms(this.#betweenBytes) };
  }

  connectTimeout(): bigint | undefined {
    return this.#connect;
  }

  setConnectTimeout(duration: bigint | undefined): void {
    this.#connect = duration;
  }

  firstByteTimeout(): bigint | undefined {
    return this.#firstByte;
  }

  setFirstByteTimeout(duration: bigint | undefined): void {
    this.#firstByte = duration;
  }

  betweenBytesTimeout(): bigint | undefined {
    return this.#betweenBytes;
  }

  setBetweenBytesTimeout(duration: bigint | undefined): void {
    this.#betweenBytes = duration;
  }
}
