// A registry in memory behind the HTTP port, for unit tests: the parts of distribution-spec v1.1 that the client uses, strict where the
// specification is, with a hook before each request.
import { isDigest, type HttpPort, type HttpRequest, type HttpResponse } from "@lapstrake/base";
import { nodeHash } from "../../node/ports.ts";
import { concat } from "../concat.ts";

/** What a hook may do: answer instead, or throw; undefined lets the request through. */
export type Hook = (line: string, request: HttpRequest, count: number) => HttpResponse | undefined;

interface Stored {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

/** An answer with a body of text or bytes. */
export function reply(
  status: number,
  headers: Record<string, string> = {},
  body: string | Uint8Array = "",
): HttpResponse {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  return { status, headers: { "content-length": String(bytes.length), ...headers }, body: chunks(bytes) };
}

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  if (bytes.length > 0) yield await Promise.resolve(bytes);
}

async function readAll(body: HttpRequest["body"]): Promise<Uint8Array> {
  if (body === undefined) return new Uint8Array();
  if (body instanceof Uint8Array) return body;
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return concat(
    parts,
    parts.reduce((sum, part) => sum + part.length, 0),
  );
}

/** See the head of this file. */
export class FakeRegistry implements HttpPort {
  readonly origin: string;
  /** `METHOD /path?query` of every request. */
  readonly sent: string[] = [];
  readonly requests: HttpRequest[] = [];
  readonly blobs: Map<string, Uint8Array> = new Map();
  readonly manifests: Map<string, Stored> = new Map();
  readonly tags: Map<string, string> = new Map();
  readonly uploads: Map<string, Uint8Array> = new Map();
  hasReferrersApi = true;
  hook: Hook | undefined;
  /** What only ends after the request was obeyed: the answer is lost. */
  afterHook: Hook | undefined;

  constructor(origin = "https://registry.test") {
    this.origin = origin;
  }

  async request(url: string, request: HttpRequest): Promise<HttpResponse> {
    request.signal?.throwIfAborted();
    const { origin, pathname, search, searchParams } = new URL(url);
    const line = `${request.method} ${pathname}${search}`;
    this.sent.push(line);
    this.requests.push(request);
    const count = this.sent.length;
    const instead = this.hook?.(line, request, count);
    if (instead !== undefined) return instead;
    if (origin !== this.origin) return reply(404);
    const answer = await this.#route(request, pathname, searchParams);
    return this.afterHook?.(line, request, count) ?? answer;
  }

  async #route(request: HttpRequest, path: string, query: URLSearchParams): Promise<HttpResponse> {
    const [, repository = "", kind = "", rest = ""] =
      /^\/v2\/(.+?)\/(manifests|blobs|tags|referrers)\/(.+)$/.exec(path) ?? [];
    if (kind === "manifests") return this.#manifest(request, repository, rest);
    if (kind === "referrers") return this.#referrers(repository, rest);
    if (kind === "blobs" && rest.startsWith("uploads")) return this.#upload(request, repository, rest.slice(8), query);
    if (kind === "blobs") return this.#blob(request, `${repository}@${rest}`);
    return reply(path === "/v2/" ? 200 : 404);
  }

  #blob({ method, headers }: HttpRequest, key: string): HttpResponse {
    const bytes = this.blobs.get(key);
    if (bytes === undefined) return reply(404);
    if (method === "DELETE") {
      this.blobs.delete(key);
      return reply(202);
    }
    if (method === "HEAD") return { ...reply(200), headers: { "content-length": String(bytes.length) } };
    const from = Number(/^bytes=([0-9]+)-$/.exec(headers["range"] ?? "")?.[1] ?? 0);
    if (from === 0) return reply(200, {}, bytes);
    const range = { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
    return reply(206, range, bytes.subarray(from));
  }

  async #manifest(request: HttpRequest, repository: string, name: string): Promise<HttpResponse> {
    const digest = isDigest(name) ? name : (this.tags.get(`${repository}:${name}`) ?? "");
    const key = `${repository}@${digest}`;
    if (request.method === "PUT") return this.#putManifest(request, repository, name);
    const stored = this.manifests.get(key);
    if (stored === undefined)
      return reply(404, {}, `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}`);
    if (request.method === "DELETE") {
      this.manifests.delete(key);
      return reply(202);
    }
    const headers = { "content-type": stored.mediaType, "docker-content-digest": digest };
    if (request.method === "GET") return reply(200, headers, stored.bytes);
    return { ...reply(200), headers: { ...headers, "content-length": String(stored.bytes.length) } };
  }

  /** Refuses what points at content that is not here, as registries do. */
  async #putManifest(request: HttpRequest, repository: string, name: string): Promise<HttpResponse> {
    const bytes = await readAll(request.body);
    const digest = nodeHash.digest("sha256", bytes);
    if (isDigest(name) && name !== digest) return reply(400);
    const document = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, never> & {
      readonly config?: { readonly digest: string };
      readonly layers?: readonly { readonly digest: string; readonly urls?: readonly string[] }[];
      readonly manifests?: readonly { readonly digest: string }[];
      readonly subject?: { readonly digest: string };
    };
    const blobs = [...(document.config === undefined ? [] : [document.config]), ...(document.layers ?? [])];
    const hasAll =
      blobs.every((blob) => this.blobs.has(`${repository}@${blob.digest}`) || "urls" in blob) &&
      (document.manifests ?? []).every((entry) => this.manifests.has(`${repository}@${entry.digest}`));
    const isReferrersTag = name.startsWith("sha256-");
    if (!hasAll && !isReferrersTag) return reply(404, {}, `{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}`);
    this.manifests.set(`${repository}@${digest}`, { bytes, mediaType: request.headers["content-type"] ?? "" });
    if (!isDigest(name)) this.tags.set(`${repository}:${name}`, digest);
    const subject = document.subject?.digest;
    const recorded = subject !== undefined && this.hasReferrersApi ? { "oci-subject": subject } : {};
    return reply(201, { "docker-content-digest": digest, ...recorded });
  }

  #referrers(repository: string, subject: string): HttpResponse {
    if (!this.hasReferrersApi) return reply(404);
    const manifests = [...this.manifests].flatMap(([key, { bytes, mediaType }]) => {
      const document = JSON.parse(new TextDecoder().decode(bytes)) as {
        subject?: { digest: string };
        artifactType?: string;
      };
      if (!key.startsWith(`${repository}@`) || document.subject?.digest !== subject) return [];
      return [{ mediaType, digest: key.split("@")[1], size: bytes.length, artifactType: document.artifactType }];
    });
    return reply(200, {}, JSON.stringify({ schemaVersion: 2, manifests }));
  }

  async #upload(request: HttpRequest, repository: string, id: string, query: URLSearchParams): Promise<HttpResponse> {
    if (request.method === "POST") return this.#startUpload(repository, query);
    const key = `${repository}/${id}`;
    const has = this.uploads.get(key);
    if (has === undefined) return reply(404, {}, `{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}`);
    const location = `/v2/${repository}/blobs/uploads/${id}`;
    if (request.method === "GET") return reply(204, { location, range: `0-${Math.max(0, has.length - 1)}` });
    if (request.method === "DELETE") {
      this.uploads.delete(key);
      return reply(204);
    }
    const body = await readAll(request.body);
    const range = request.headers["content-range"];
    if (request.method === "PATCH" && range !== `${has.length}-${has.length + body.length - 1}`) return reply(416);
    const all = concat([has, body], has.length + body.length);
    this.uploads.set(key, all);
    if (request.method === "PATCH") return reply(202, { location, range: `0-${all.length - 1}` });
    const digest = query.get("digest") ?? "";
    this.uploads.delete(key);
    if (nodeHash.digest("sha256", all) !== digest) return reply(400, {}, `{"errors":[{"code":"DIGEST_INVALID"}]}`);
    this.blobs.set(`${repository}@${digest}`, all);
    return reply(201);
  }

  #startUpload(repository: string, query: URLSearchParams): HttpResponse {
    const mounted = this.blobs.get(`${query.get("from")}@${query.get("mount")}`);
    if (mounted !== undefined) {
      this.blobs.set(`${repository}@${query.get("mount")}`, mounted);
      return reply(201);
    }
    const id = `u${this.sent.length}`;
    this.uploads.set(`${repository}/${id}`, new Uint8Array());
    return reply(202, { location: `/v2/${repository}/blobs/uploads/${id}` });
  }
}
