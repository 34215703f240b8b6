// wasi:http/types 0.2: what a guest makes itself. Its constructors know no host, and so the classes are made for each component.
import {
  HttpFailure,
  type HttpHeaders,
  type HttpRequest,
  type HttpResponse,
  type HttpSend,
} from "../../http/exchange.ts";
import { Target, refuse } from "../../http/target.ts";
import type { Named } from "../../http/variants.ts";
import type { ComponentHost, Interface } from "../host.ts";
import type { StreamFailure } from "../streams.ts";
import { BodyFailure, BodyOutput, BodyQueue } from "./bodies.ts";
import { FutureIncomingResponse, FutureTrailers, IncomingBody, IncomingRequest, IncomingResponse } from "./incoming.ts";
import { RequestOptions } from "./options.ts";
import { Fields, errorCodeOf, type ErrorCode, type Result } from "./values.ts";

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

/** A rejection that nobody needs to hear. */
function failing(failure: HttpFailure): Promise<never> {
  const rejected = Promise.reject(failure);
  rejected.catch(() => undefined);
  return rejected;
}
