// A read-only look at stacked layer directories as one tree, before they are mounted: for /etc/passwd and for mount points.
// Beside layers' StackView, which builds whole nodes with attributes and content: a start asks for three files, and loads none of it.
// Every step goes through DirFs (beneath a descriptor); symbolic links are resolved inside the view, 40 at most (path_resolution(7)).
import { ERRNO, fromByteString, systemError, type ByteString, type DirFs, type FileStat } from "@lapstrake/base";

const MAX_LINKS = 40;
const OPAQUE = ["trusted.overlay.opaque", "user.overlay.opaque"];

/** One name of the merged tree: what it is, and the directories that form it when it is one (top first). */
export interface MergedNode {
  readonly stat: FileStat;
  readonly dirs: readonly Place[];
  /** Where its bytes are: for files and links. */
  readonly place: Place;
}

interface Place {
  readonly dir: DirFs;
  readonly path: ByteString;
}

/** Layer directories, top first, in overlay form (char 0/0 whiteouts, opaque xattrs). */
export class MergedView {
  readonly #layers: readonly DirFs[];

  constructor(layers: readonly DirFs[]) {
    this.#layers = layers;
  }

  get root(): MergedNode {
    const top = this.#layers[0]!;
    return {
      stat: top.stat("")!,
      dirs: this.#layers.map((dir) => ({ dir, path: "" })),
      place: { dir: top, path: "" },
    };
  }

  /** The child of a directory node, not followed; undefined when there is none. */
  child(parent: MergedNode, name: ByteString): MergedNode | undefined {
    const dirs: Place[] = [];
    let first: { stat: FileStat; place: Place } | undefined;
    for (const { dir, path } of parent.dirs) {
      const place = { dir, path: path === "" ? name : `${path}/${name}` };
      const stat = dir.stat(place.path);
      if (stat === undefined) continue;
      if (isWhiteout(stat)) break;
      if (first !== undefined && stat.type !== "dir") break;
      first ??= { stat, place };
      if (stat.type !== "dir") break;
      dirs.push(place);
      if (isOpaque(place)) break;
    }
    return first === undefined ? undefined : { ...first, dirs };
  }

  /** Follows links inside the view; undefined when the path does not exist. Throws ELOOP. */
  resolve(path: string): MergedNode | undefined {
    const trail: MergedNode[] = [this.root];
    const todo = path.split("/").reverse();
    for (let links = 0; todo.length > 0;) {
      const name = todo.pop()!;
      if (name === "" || name === ".") continue;
      if (name === "..") {
        if (trail.length > 1) trail.pop();
        continue;
      }
      const node = this.child(trail.at(-1)!, name);
      if (node === undefined) return undefined;
      if (node.stat.type !== "symlink") {
        trail.push(node);
        continue;
      }
      if (++links > MAX_LINKS) throw systemError(ERRNO.ELOOP, "resolve", fromByteString(path));
      const target = node.place.dir.readlink(node.place.path);
      if (target.startsWith("/")) trail.length = 1;
      todo.push(...target.split("/").reverse());
    }
    return trail.at(-1);
  }

  /** Text of a regular file, undefined when there is none; at most `maxBytes`. */
  readText(path: string, maxBytes: number): string | undefined {
    const node = this.resolve(path);
    if (node?.stat.type !== "file") return undefined;
    if (node.stat.size > maxBytes) throw systemError(ERRNO.EFBIG, "read", path);
    using file = node.place.dir.open(node.place.path, { read: true });
    const buffer = new Uint8Array(node.stat.size);
    let length = 0;
    for (let got = -1; got !== 0 && length < buffer.length; length += got) {
      got = file.read(buffer, length, buffer.length - length);
    }
    return new TextDecoder().decode(buffer.subarray(0, length));
  }
}

function isWhiteout(stat: FileStat): boolean {
  return stat.type === "char" && stat.rdevMajor === 0 && stat.rdevMinor === 0;
}

function isOpaque({ dir, path }: Place): boolean {
  if (!dir.features.xattrs) return false;
  return OPAQUE.some((name) => {
    const value = dir.getXattr(path, name);
    return value?.length === 1 && value[0] === 0x79;
  });
}
