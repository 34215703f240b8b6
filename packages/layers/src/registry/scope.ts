// Scopes of tokens (distribution token specification): what a request may do, named by us and never by the server.
import type { Repository } from "./types.ts";

export type RepositoryAction = "pull" | "push" | "delete";

/** `repository:library/alpine:pull`; push includes pull, as registries expect. */
export function repositoryScope(repository: Pick<Repository, "path">, action: RepositoryAction): string {
  const actions = { pull: "pull", push: "pull,push", delete: "pull,delete" }[action];
  return `repository:${repository.path}:${actions}`;
}

/** The scope of the catalogue. */
export const CATALOG_SCOPE = "registry:catalog:*";

/** One key for a set of scopes. */
export function scopeKey(scopes: readonly string[]): string {
  return scopes.toSorted().join(" ");
}

/** The repository a scope is about, "" for the registry: it chooses the credential. */
export function scopePath(scopes: readonly string[]): string {
  const [type, path = ""] = (scopes[0] ?? "").split(":");
  return type === "repository" ? path : "";
}
