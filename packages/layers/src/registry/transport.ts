// One request to a registry: retry( authorise( follow redirects( http ) ) ). Everything above it speaks in repositories and digests.
import { isLapError, type HttpRequest, type HttpResponse } from "@lapstrake/base";
import { Authorizer } from "./authorizer.ts";
import { discard, readBounded } from "./body.ts";
import { responseError } from "./errors.ts";
import { Hosts } from "./hosts.ts";
import { MAX_REDIRECTS } from "./limits.ts";
import { checkLocation, isRedirect, sameOrigin, tooManyRedirects } from "./redirect.ts";
import { DEFAULT_RETRY, withRetry } from "./retry.ts";
import type { Endpoint, RegistryOptions, RetryPolicy } from "./types.ts";

type Body = Uint8Array | AsyncIterable<Uint8Array>;

/** One request; `path` is below the endpoint's origin, or a whole address that the registry gave (an upload's location). */
export interface Call {
  readonly method: string;
  readonly path: string;
  /** For messages: `get manifest "1.0" of "example/app"`. */
  readonly what: string;
  readonly scopes: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Made anew for every try. */
  readonly body?: () => Body;
  /** Statuses that are answers; any other is thrown as an error. */
  readonly accept: readonly number[];
  /** Tries; default by the policy. 1 for what must not be repeated blindly. */
  readonly attempts?: number;
  readonly signal?: AbortSignal | undefined;
}

/** An accepted answer, and the address it came from. */
export interface Answer extends HttpResponse {
  readonly url: string;
}

/** See the head of this file. */
export class Transport {
  readonly options: RegistryOptions;
  readonly retry: RetryPolicy;
  readonly hosts: Hosts;
  readonly #authorizer: Authorizer;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(options: RegistryOptions) {
    this.options = options;
    this.retry = { ...DEFAULT_RETRY, ...options.retry };
    this.#headers = { "user-agent": options.userAgent ?? "lapstrake" };
    const { http, clock, credentials, hosts } = options;
    this.#authorizer = new Authorizer({ http, clock, credentials, hosts, headers: this.#headers });
    this.hosts = new Hosts(options, (endpoint) => this.#speaksTls(endpoint));
  }

  /** Sends until an accepted answer arrives; its body is not read yet. */
  send(endpoint: Endpoint, call: Call): Promise<Answer> {
    return this.#retrying(call, () => this.#once(endpoint, call));
  }

  /** Sends and reads the whole body, both within the tries. */
  sendAndRead(endpoint: Endpoint, call: Call, maxBytes: number): Promise<{ answer: Answer; bytes: Uint8Array }> {
    return this.#retrying(call, async () => {
      const answer = await this.#once(endpoint, call);
      return { answer, bytes: await readBounded(answer, maxBytes, call.what) };
    });
  }

  /** Sends and drops the body. */
  async sendOnly(endpoint: Endpoint, call: Call): Promise<Answer> {
    const answer = await this.send(endpoint, call);
    await discard(answer.body);
    return answer;
  }

  #retrying<T>(call: Call, work: () => Promise<T>): Promise<T> {
    const policy = { ...this.retry, attempts: call.attempts ?? this.retry.attempts };
    return withRetry(this.options.clock, policy, call.signal, work);
  }

  async #once(endpoint: Endpoint, call: Call): Promise<Answer> {
    const answer = await this.#authorized(endpoint, call);
    if (call.accept.includes(answer.status)) return answer;
    throw await responseError(answer, call.what, this.options.clock);
  }

  /** Twice refused with a fresh header is final. */
  async #authorized(endpoint: Endpoint, call: Call): Promise<Answer> {
    const known = await this.#authorizer.header(endpoint, call.scopes, undefined, call.signal);
    const first = await this.#follow(endpoint, call, known);
    if (first.status !== 401 || !sameOrigin(first.url, endpoint.origin)) return first;
    this.#authorizer.learn(endpoint, first.headers["www-authenticate"]);
    const renewed = await this.#authorizer.header(endpoint, call.scopes, known, call.signal);
    if (renewed === undefined) return first;
    await discard(first.body);
    return this.#follow(endpoint, call, renewed);
  }

  async #follow(endpoint: Endpoint, call: Call, authorization: string | undefined): Promise<Answer> {
    const start = new URL(call.path, endpoint.origin).href;
    let url = start;
    for (let redirects = 0; ; redirects++) {
      const response = await this.#http(endpoint, call, url, authorization);
      const mayFollow = call.method === "GET" || call.method === "HEAD";
      if (!mayFollow || !isRedirect(response)) return { ...response, url };
      await discard(response.body);
      if (redirects >= MAX_REDIRECTS) throw tooManyRedirects(start, MAX_REDIRECTS);
      url = checkLocation(url, response.headers["location"]);
    }
  }

  #http(endpoint: Endpoint, call: Call, url: string, authorization: string | undefined): Promise<HttpResponse> {
    call.signal?.throwIfAborted();
    const isHome = sameOrigin(url, endpoint.origin);
    const tls = isHome ? endpoint.settings.tls : this.options.hosts?.(new URL(url).host)?.tls;
    const headers = {
      ...this.#headers,
      ...call.headers,
      ...(authorization === undefined || !isHome ? {} : { authorization }),
    };
    const body = call.body?.();
    const request: HttpRequest = {
      method: call.method,
      headers,
      ...(body === undefined ? {} : { body }),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
      ...(tls === undefined ? {} : { tls }),
    };
    return this.options.http.request(url, request);
  }

  /** False when a loopback host answers, but not in TLS; any other failure is left to the request that follows. */
  async #speaksTls(endpoint: Endpoint): Promise<boolean> {
    const tls = endpoint.settings.tls;
    const request: HttpRequest = { method: "GET", headers: this.#headers, ...(tls === undefined ? {} : { tls }) };
    try {
      const response = await this.options.http.request(`${endpoint.origin}/v2/`, request);
      await discard(response.body);
      return true;
    } catch (error) {
      return isLapError(error) && error.code === "ERR_LAP_HTTP_TLS";
    }
  }
}
