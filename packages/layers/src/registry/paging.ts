// Listings in pages: tags and the catalogue (distribution-spec "Listing Tags"), joined by RFC 8288 Link headers.
import { LapError, parseJsonObject } from "@lapstrake/base";
import { protocolError } from "./errors.ts";
import { MAX_HEADER_LENGTH, MAX_PAGES, MAX_PAGE_BYTES } from "./limits.ts";
import { parseHttpUrl } from "./realm.ts";
import { sameOrigin } from "./redirect.ts";
import { CATALOG_SCOPE, repositoryScope } from "./scope.ts";
import type { Transport } from "./transport.ts";
import type { CallOptions, Endpoint, Repository } from "./types.ts";

/** The target of the Link header with rel="next", resolved; undefined at the last page. Never leaves the origin. */
export function nextPage(link: string | undefined, url: string): string | undefined {
  if (link === undefined || link.length > MAX_HEADER_LENGTH) return undefined;
  const target = /<([^>]*)>[^,]*;\s*rel="?next"?/i.exec(link)?.[1];
  if (target === undefined) return undefined;
  const next = parseHttpUrl(target, url)?.href;
  if (next === undefined || !sameOrigin(next, url)) throw protocolError("the next page of a listing is elsewhere");
  return next;
}

/** Pages of one listing as parsed objects; bounded in number and size. */
export async function* pages(
  transport: Transport,
  endpoint: Endpoint,
  call: { readonly path: string; readonly what: string; readonly scopes: readonly string[] },
  { signal }: CallOptions,
): AsyncGenerator<Record<string, unknown>, void, undefined> {
  let path: string | undefined = call.path;
  for (let count = 0; path !== undefined; count++) {
    if (count >= MAX_PAGES) {
      throw new LapError("resourceExhausted", "ERR_LAP_LIMIT", `${call.what}: more than ${MAX_PAGES} pages`);
    }
    const request = { ...call, method: "GET", path, accept: [200], signal };
    const { answer, bytes } = await transport.sendAndRead(endpoint, request, MAX_PAGE_BYTES);
    yield parseJsonObject(bytes, call.what, MAX_PAGE_BYTES);
    path = nextPage(answer.headers["link"], answer.url);
  }
}

function names(page: Record<string, unknown>, field: string): string[] {
  const list = page[field] ?? [];
  if (!Array.isArray(list)) throw protocolError(`a page of ${field} is not a list`);
  return list.filter((name): name is string => typeof name === "string");
}

/** Tags of a repository, in the registry's order. */
export async function* listTags(
  transport: Transport,
  repository: Repository,
  options: CallOptions & { readonly pageSize?: number } = {},
): AsyncGenerator<string, void, undefined> {
  const call = {
    path: `/v2/${repository.path}/tags/list${query(options.pageSize)}`,
    what: `tags of "${repository.endpoint.domain}/${repository.path}"`,
    scopes: [repositoryScope(repository, "pull")],
  };
  for await (const page of pages(transport, repository.endpoint, call, options)) yield* names(page, "tags");
}

/** Repositories of a registry, where it tells them. */
export async function* listRepositories(
  transport: Transport,
  endpoint: Endpoint,
  options: CallOptions & { readonly pageSize?: number } = {},
): AsyncGenerator<string, void, undefined> {
  const call = {
    path: `/v2/_catalog${query(options.pageSize)}`,
    what: `catalogue of "${endpoint.domain}"`,
    scopes: [CATALOG_SCOPE],
  };
  for await (const page of pages(transport, endpoint, call, options)) yield* names(page, "repositories");
}

function query(pageSize: number | undefined): string {
  return pageSize === undefined ? "" : `?n=${pageSize}`;
}
