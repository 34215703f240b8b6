// The engine's registry client: credentials as docker login keeps them, certificates from the folders docker reads.
import { LapError, familiarName, isLapError, parseReference, type Platform, type ProgressSink } from "@lapstrake/base";
import {
  dockerCredentials,
  openRegistryClient,
  type CredentialSource,
  type Image,
  type PulledImage,
  type PushedImage,
  type RegistryClient,
} from "@lapstrake/layers";
import { certificateFolders, nodeHelpers, nodeHttp, nodePorts } from "@lapstrake/layers/node";
import type { Engine } from "../engine.ts";
import { emit } from "../events/emit.ts";
import { readLogins } from "./docker-config.ts";
import { rememberDigest } from "./known-digests.ts";
import { HOST_PLATFORM } from "./open.ts";
import { layerProgress } from "./push-progress.ts";
import { inDockersWords, schemeOf } from "./registry-words.ts";

const CERTIFICATES = "/etc/docker/certs.d";
/** What an image that is not for this machine may still run on. */
const WASM_PLATFORMS: readonly Platform[] = [
  { os: "wasip1", architecture: "wasm" },
  { os: "wasi", architecture: "wasm" },
];

/** What to move and how to tell about it. */
export interface TransferRequest {
  readonly platform?: Platform;
  readonly progress?: ProgressSink;
  readonly signal?: AbortSignal;
}

/** A registry client and its connections; dispose when done. Credentials are those of docker's logins unless others are given. */
export function openClient(credentials?: CredentialSource): { readonly client: RegistryClient } & Disposable {
  const http = nodeHttp({}, process.env);
  const certificates = certificateFolders(CERTIFICATES);
  const client = openRegistryClient({
    ...nodePorts,
    http,
    credentials: credentials ?? dockerCredentials(readLogins(), nodeHelpers),
    hosts: (host) => {
      const tls = certificates(host);
      return tls === undefined ? undefined : { tls };
    },
    userAgent: "lapstrake",
  });
  return { client, [Symbol.dispose]: () => http[Symbol.dispose]() };
}

/** Brings an image and extracts its layers. */
export async function pullImage(
  engine: Engine,
  reference: string,
  request: TransferRequest = {},
): Promise<PulledImage> {
  using registry = openClient();
  const { store, snapshots } = await engine.images();
  const { platform, ...how } = request;
  const options = {
    ...(platform === undefined ? { prefer: [HOST_PLATFORM, ...WASM_PLATFORMS] } : { platforms: [platform] }),
    unpack: snapshots,
    ...how,
  };
  const pulled = await inDockersWords(() => registry.client.pull(store, reference, options)).catch((error: unknown) => {
    throw isUnknown(error) ? noCredentials(error, manifestUrl(reference)) : error;
  });
  rememberDigest(engine.context.paths, reference, pulled.target.digest);
  emit(engine.context, "image", "pull", pulled.reference, { ...labelsOf(store, pulled.id), name: nameOf(pulled) });
  return pulled;
}

/** Sends an image to the registry of its name. */
export async function pushImage(
  engine: Engine,
  reference: string,
  request: TransferRequest = {},
): Promise<PushedImage> {
  using registry = openClient();
  const { store } = await engine.images();
  const progress = layerProgress(store.resolve(reference, request.platform), request.progress ?? (() => {}));
  const options = { ...request, progress: progress.sink };
  const pushed = await inDockersWords(() => registry.client.push(store, reference, options)).catch((error: unknown) => {
    throw isUnknown(error) ? noCredentials(error) : error;
  });
  progress.finish();
  rememberDigest(engine.context.paths, reference, pushed.target.digest);
  emit(engine.context, "image", "push", pushed.reference, { name: nameOf(pushed) });
  return pushed;
}

/** A registry that asks who we are, and did not like the answer. */
function isUnknown(error: unknown): error is LapError {
  return isLapError(error) && error.code === "ERR_LAP_REGISTRY_UNAUTHENTICATED";
}

/** In docker's words; a push that began has no request to name. */
function noCredentials(cause: LapError, url?: string): LapError {
  const hint = "log in to the registry, or check the name of the repository";
  const text = url === undefined ? "no basic auth credentials" : `Head "${url}": no basic auth credentials`;
  const code = url === undefined ? "ERR_LAP_PUSH_REFUSED" : cause.code;
  return new LapError(cause.kind, code, text, {
    cause,
    hint,
    ...(cause.detail === undefined ? {} : { detail: cause.detail }),
  });
}

function manifestUrl(text: string): string {
  const { domain, path, tag, digest } = parseReference(text);
  const host = domain === "docker.io" ? "registry-1.docker.io" : domain;
  return `${schemeOf(host)}://${host}/v2/${path}/manifests/${digest ?? tag ?? "latest"}`;
}

/** Without its tag, as docker's events of transfers have it. */
function nameOf({ reference }: { readonly reference: string }): string {
  return familiarName(parseReference(reference));
}

function labelsOf(store: { resolve(id: string): Image }, id: string): Readonly<Record<string, string>> {
  return store.resolve(id).config.config?.Labels ?? {};
}

/** Tags that the registry has of a repository. */
export async function repositoryTags(repository: string): Promise<string[]> {
  using registry = openClient();
  return inDockersWords(async () => Array.fromAsync(registry.client.tags(repository)));
}
