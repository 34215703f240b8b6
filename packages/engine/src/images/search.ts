// Docker Hub's search (the v1 index API, the one the daemon asks): a term -> repositories.
import { LapError, isLapError, parseJsonObject } from "@lapstrake/base";
import { nodeHttp } from "@lapstrake/layers/node";
import { inDockersWords } from "./registry-words.ts";

const INDEX = "https://index.docker.io";
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** One repository. */
export interface FoundImage {
  readonly name: string;
  readonly description: string;
  readonly stars: number;
  readonly isOfficial: boolean;
}

/** What Docker Hub finds. Throws `ERR_LAP_HTTP_…`, `ERR_LAP_SEARCH`. */
export async function searchHub(term: string, limit: number): Promise<FoundImage[]> {
  const path = `/v1/search?q=${encodeURIComponent(term)}&n=${limit}`;
  const answer = await inDockersWords(() => ask(path));
  const results = (answer as { readonly results?: unknown }).results;
  return Array.isArray(results) ? results.map(found) : [];
}

async function ask(path: string): Promise<Readonly<Record<string, unknown>>> {
  using http = nodeHttp({}, process.env);
  try {
    const headers = { "user-agent": "lapstrake", accept: "application/json" };
    const { status, body } = await http.request(`${INDEX}${path}`, { method: "GET", headers });
    const bytes = await bounded(body);
    if (status === 200) return parseJsonObject(bytes, "search results", MAX_ANSWER_BYTES);
    throw new LapError("unavailable", "ERR_LAP_SEARCH", `Unexpected status code ${status}`);
  } catch (error) {
    if (!isLapError(error)) throw error;
    const { kind, code, message, cause } = error;
    throw new LapError(kind, code, message, { cause, detail: { ...error.detail, path } });
  }
}

async function bounded(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES)
      throw new LapError("resourceExhausted", "ERR_LAP_LIMIT", "the search answer is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function found(value: unknown): FoundImage {
  const { name, description, star_count, is_official } = value as Readonly<Record<string, unknown>>;
  return {
    name: typeof name === "string" ? name : "",
    description: typeof description === "string" ? description : "",
    stars: typeof star_count === "number" ? star_count : 0,
    isOfficial: is_official === true,
  };
}
