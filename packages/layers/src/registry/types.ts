// What the registry client is made of and what its parts hand to each other (distribution-spec v1.1).
import type { ClockPort, HashPort, HttpPort, HttpTls, Logger } from "@lapstrake/base";

/** A secret for one registry: a login, an OAuth2 refresh token ("identity token"), or a ready bearer token. */
export type Credential =
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  | { readonly kind: "identity"; readonly token: string }
  | { readonly kind: "bearer"; readonly token: string };

/** Finds the credential for a repository (`path` is "" for the registry itself); undefined means anonymous. */
export type CredentialSource = (domain: string, path: string) => Promise<Credential | undefined>;

/** What the user says about one registry host; the defaults are strict. */
export interface RegistryHost {
  /** Speak HTTP without TLS. Default: only for loopback, and there only when TLS is not spoken. */
  readonly plainHttp?: boolean;
  /** TLS material of this host. */
  readonly tls?: HttpTls;
  /** Hosts besides the registry's own domain that may be asked for tokens: `auth.example.net`, with port when not default. */
  readonly realms?: readonly string[];
}

/** Requests for references below `prefix` (`docker.io`, `example.org/team`) try `location` (`host[:port][/path]`) first. */
export interface Mirror {
  readonly prefix: string;
  readonly location: string;
  /** Use the mirror for digests only: a tag is then always resolved by the registry itself. */
  readonly digestOnly?: boolean;
}

/** Repeating of failed requests. */
export interface RetryPolicy {
  /** Tries in all, at least 1. */
  readonly attempts: number;
  /** First wait, ms; doubles each time, with jitter. */
  readonly baseMs: number;
  /** Longest wait of ours, ms. */
  readonly capMs: number;
}

/** What a registry client needs. */
export interface RegistryOptions {
  readonly http: HttpPort;
  readonly hash: HashPort;
  readonly clock: ClockPort;
  readonly credentials?: CredentialSource;
  /** Settings of a host (`localhost:5000`); undefined means the defaults. */
  readonly hosts?: (host: string) => RegistryHost | undefined;
  readonly mirrors?: readonly Mirror[];
  readonly retry?: Partial<RetryPolicy>;
  readonly logger?: Logger;
  readonly userAgent?: string;
}

/** Where a registry's API is spoken. */
export interface Endpoint {
  /** Scheme, host and port: `https://registry.example`. */
  readonly origin: string;
  /** The registry's name in references and credentials: `docker.io`. */
  readonly domain: string;
  readonly settings: RegistryHost;
}

/** One repository at one endpoint. */
export interface Repository {
  readonly endpoint: Endpoint;
  /** Path within the endpoint: `library/alpine`. */
  readonly path: string;
}

/** Options of calls that wait. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}
