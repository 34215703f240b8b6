// The Authorization header of a request: learned from the registry's first 401, remembered per endpoint, renewed when refused.
import { LapError, type ClockPort, type HttpPort } from "@lapstrake/base";
import { basicHeader } from "./basic.ts";
import { parseChallenges, type Challenge } from "./challenge.ts";
import { checkRealm } from "./realm.ts";
import { scopePath } from "./scope.ts";
import { TokenCache } from "./token.ts";
import type { Credential, CredentialSource, Endpoint, RegistryHost } from "./types.ts";

interface AuthorizerOptions {
  readonly http: HttpPort;
  readonly clock: ClockPort;
  readonly credentials: CredentialSource | undefined;
  readonly hosts: ((host: string) => RegistryHost | undefined) | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** A registry that refuses without saying how to log in, or only in ways we do not speak. */
function schemeError(endpoint: Endpoint, offered: readonly Challenge[]): LapError {
  const names = offered.map(({ scheme }) => `"${scheme}"`).join(", ");
  const message = `registry "${endpoint.domain}" wants a login but offers ${names === "" ? "no scheme" : names}`;
  return new LapError("unauthenticated", "ERR_LAP_REGISTRY_SCHEME", message, {
    hint: "Basic and Bearer are supported",
  });
}

/** See the head of this file. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #tokens: TokenCache;
  readonly #challenges = new Map<string, Challenge>();

  constructor(options: AuthorizerOptions) {
    this.#options = options;
    this.#tokens = new TokenCache(options.http, options.clock);
  }

  /** Keeps the challenge of a 401; the strongest scheme of those we speak. Throws `ERR_LAP_REGISTRY_SCHEME`. */
  learn(endpoint: Endpoint, header: string | undefined): void {
    const offered = parseChallenges(header ?? "");
    const chosen =
      offered.find(({ scheme, parameters }) => scheme === "bearer" && parameters.has("realm")) ??
      offered.find(({ scheme }) => scheme === "basic");
    if (chosen === undefined) throw schemeError(endpoint, offered);
    this.#challenges.set(endpoint.origin, chosen);
  }

  /** The header's value, other than the `refused` one; undefined while no challenge is known, or when there is nothing to answer it with. */
  async header(
    endpoint: Endpoint,
    scopes: readonly string[],
    refused?: string,
    signal?: AbortSignal,
  ): Promise<string | undefined> {
    const challenge = this.#challenges.get(endpoint.origin);
    if (challenge === undefined) return undefined;
    const credential = await this.#options.credentials?.(endpoint.domain, scopePath(scopes));
    if (credential?.kind === "bearer") return `Bearer ${credential.token}`;
    if (challenge.scheme === "basic") return basicOf(credential);
    const token = refused?.replace(/^Bearer /, "");
    return `Bearer ${await this.#token(endpoint, challenge, scopes, credential, token, signal)}`;
  }

  #token(
    endpoint: Endpoint,
    { parameters }: Challenge,
    scopes: readonly string[],
    credential: Credential | undefined,
    refused: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const realm = checkRealm(endpoint, parameters.get("realm") ?? "");
    const isSameHost = realm.host === new URL(endpoint.origin).host;
    const tls = isSameHost ? endpoint.settings.tls : this.#options.hosts?.(realm.host)?.tls;
    const service = parameters.get("service");
    return this.#tokens.get(
      { realm, service, scopes, credential, tls, headers: this.#options.headers },
      refused,
      signal,
    );
  }
}

function basicOf(credential: Credential | undefined): string | undefined {
  return credential?.kind === "basic" ? basicHeader(credential.username, credential.password) : undefined;
}
