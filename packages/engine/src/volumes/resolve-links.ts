// A path of a container -> the same path without links, resolved inside the container's root: path_resolution(7) with the root as
// its top. Pure: what a name is comes from `look`. Used where the kernel must never follow a link itself.
import { ERRNO, fromByteString, systemError, type ByteString, type FileType } from "@lapstrake/base";

const MAX_LINKS = 40;
const ROOT: Looked = { type: "dir", target: "" };

/** What a name is. */
export interface Looked {
  readonly type: FileType;
  /** Target of a symbolic link. */
  readonly target: ByteString;
}

/** A path without links, and what is there; `found` is undefined when the last name does not exist. */
export interface ResolvedPath {
  /** Relative to the root, "" is the root itself. */
  readonly path: ByteString;
  readonly found: Looked | undefined;
}

/**
 * Resolves `path`; links of the last name are followed when `follow` says so, and with `missing` names that do not exist are
 * taken as they are. Throws ENOENT for a missing name on the way, ENOTDIR and ELOOP.
 */
export function resolveLinks(
  look: (path: ByteString) => Looked | undefined,
  path: ByteString,
  options: { readonly follow: boolean; readonly missing?: boolean },
): ResolvedPath {
  const trail: ByteString[] = [];
  const todo = path.split("/").toReversed();
  let found: Looked | undefined = ROOT;
  for (let links = 0; todo.length > 0;) {
    const name = todo.pop()!;
    if (name === "" || name === ".") continue;
    if (found === undefined && options.missing !== true) throw systemError(ERRNO.ENOENT, "lstat", shown(trail));
    if (found !== undefined && found.type !== "dir") throw systemError(ERRNO.ENOTDIR, "lstat", shown(trail));
    if (name === "..") {
      trail.pop();
      found = trail.length === 0 ? ROOT : look(trail.join("/"));
      continue;
    }
    trail.push(name);
    found = look(trail.join("/"));
    // A slash behind a link asks for what it points at.
    if (found?.type !== "symlink" || (todo.length === 0 && !options.follow)) continue;
    if (++links > MAX_LINKS) throw systemError(ERRNO.ELOOP, "lstat", `/${path}`);
    const { target } = found;
    if (target.startsWith("/")) trail.length = 0;
    else trail.pop();
    found = ROOT;
    todo.push(...target.split("/").toReversed());
  }
  return { path: trail.join("/"), found };
}

function shown(trail: readonly ByteString[]): string {
  return fromByteString(`/${trail.join("/")}`);
}
