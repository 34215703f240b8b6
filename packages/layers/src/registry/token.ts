// Bearer tokens: asked for at the realm of a challenge, by GET with a login or by an OAuth2 POST with a refresh token
// (distribution "Token Authentication" and "OAuth2 Token" specifications), and cached by realm, service, scope and credential.
import {
  LapError,
  parseJsonObject,
  type ClockPort,
  type HttpPort,
  type HttpResponse,
  type HttpTls,
} from "@lapstrake/base";
import { basicHeader } from "./basic.ts";
import { readBounded } from "./body.ts";
import { responseError } from "./errors.ts";
import { MAX_TOKEN_BYTES, MIN_TOKEN_LIFE_MS } from "./limits.ts";
import { scopeKey } from "./scope.ts";
import type { Credential } from "./types.ts";

/** What to ask a token for; the realm is already checked. */
export interface TokenRequest {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  readonly credential: Credential | undefined;
  readonly tls: HttpTls | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

interface Token {
  readonly value: string;
  /** Since the epoch, ms. */
  readonly expiresMs: number;
}

/** A token is renewed this long before it ends, so that it does not end on the way. */
const MARGIN_MS = 10_000;
const CLIENT_ID = "lapstrake";
const VALUE = /^[\x21-\x7e]+$/;

function nowMs(clock: ClockPort): number {
  const { sec, nsec } = clock.now();
  return sec * 1000 + Math.floor(nsec / 1_000_000);
}

function keyOf({ realm, service, scopes, credential }: TokenRequest): string {
  return JSON.stringify([realm.href, service, scopeKey(scopes), credential]);
}

/** Tokens of one client; concurrent requests for the same token share one answer. */
export class TokenCache {
  readonly #http: HttpPort;
  readonly #clock: ClockPort;
  readonly #tokens = new Map<string, Promise<Token>>();

  constructor(http: HttpPort, clock: ClockPort) {
    this.#http = http;
    this.#clock = clock;
  }

  /** The token's value; never `refused`, the one that the registry no longer takes. */
  async get(request: TokenRequest, refused: string | undefined, signal?: AbortSignal): Promise<string> {
    const key = keyOf(request);
    for (let known = this.#tokens.get(key); known !== undefined; known = this.#tokens.get(key)) {
      const held = await known.catch(() => undefined); // whoever asked for it has that error; we ask for ourselves
      if (held !== undefined && held.value !== refused && held.expiresMs > nowMs(this.#clock)) return held.value;
      if (this.#tokens.get(key) === known) break; // nobody else is asking anew
    }
    const asked = this.#ask(request, signal);
    this.#tokens.set(key, asked);
    asked.catch(() => {
      if (this.#tokens.get(key) === asked) this.#tokens.delete(key);
    });
    return (await asked).value;
  }

  async #ask(request: TokenRequest, signal: AbortSignal | undefined): Promise<Token> {
    const what = `get a token from "${request.realm.host}"`;
    const response = await this.#request(request, signal);
    if (response.status !== 200) throw await responseError(response, what, this.#clock);
    const body = parseJsonObject(
      await readBounded(response, MAX_TOKEN_BYTES, "token response"),
      "token response",
      MAX_TOKEN_BYTES,
    );
    const value = typeof body["token"] === "string" && body["token"] !== "" ? body["token"] : body["access_token"];
    if (typeof value !== "string" || !VALUE.test(value)) {
      throw new LapError("dataLoss", "ERR_LAP_REGISTRY_RESPONSE", `${what}: the answer holds no token`);
    }
    return { value, expiresMs: nowMs(this.#clock) + lifeMs(body["expires_in"]) - MARGIN_MS };
  }

  #request(request: TokenRequest, signal: AbortSignal | undefined): Promise<HttpResponse> {
    const { realm, tls, credential } = request;
    const common = { ...(signal === undefined ? {} : { signal }), ...(tls === undefined ? {} : { tls }) };
    if (credential?.kind === "identity") {
      const headers = { ...request.headers, "content-type": "application/x-www-form-urlencoded" };
      const body = new TextEncoder().encode(refreshForm(request, credential.token).toString());
      return this.#http.request(realm.href, { ...common, method: "POST", headers, body });
    }
    const login = credential?.kind === "basic" ? basicHeader(credential.username, credential.password) : undefined;
    const headers = { ...request.headers, ...(login === undefined ? {} : { authorization: login }) };
    return this.#http.request(tokenUrl(request), { ...common, method: "GET", headers });
  }
}

function lifeMs(expiresIn: unknown): number {
  const seconds = typeof expiresIn === "number" && Number.isFinite(expiresIn) ? expiresIn : 0;
  return Math.max(MIN_TOKEN_LIFE_MS, seconds * 1000);
}

function tokenUrl({ realm, service, scopes, credential }: TokenRequest): string {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  if (credential?.kind === "basic") url.searchParams.set("account", credential.username);
  return url.href;
}

function refreshForm({ service, scopes }: TokenRequest, refreshToken: string): URLSearchParams {
  return new URLSearchParams({
    grant_type: "refresh_token",
    refresh_token: refreshToken,
    client_id: CLIENT_ID,
    scope: scopes.join(" "),
    ...(service === undefined ? {} : { service }),
  });
}
