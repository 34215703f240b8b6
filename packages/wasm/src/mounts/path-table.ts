// Inode numbers for paths of a directory of the machine: each name that was looked up keeps its number, also when it is renamed
// through us. A name that others move away is simply gone; it is never followed elsewhere.
import { ERRNO, fsError, type ByteString } from "@lapstrake/base";
import type { Ino } from "@lapstrake/layers";

interface Name {
  readonly ino: Ino;
  parent: Name;
  name: ByteString;
  readonly children: Map<ByteString, Name>;
}

const ROOT: Ino = 1;

export class PathTable {
  readonly root: Ino = ROOT;
  readonly #names = new Map<Ino, Name>();
  #last: Ino = ROOT;

  /** `name` is what the root is called in the directory, when it is not the directory itself. */
  constructor(name: ByteString = "") {
    const root = { ino: ROOT, name, children: new Map() } as unknown as Name;
    root.parent = root;
    this.#names.set(ROOT, root);
  }

  #get(ino: Ino): Name {
    const found = this.#names.get(ino);
    if (found === undefined) throw fsError(ERRNO.ESTALE);
    return found;
  }

  /** Relative to the directory; "" is the directory itself. */
  path(ino: Ino): ByteString {
    const parts: ByteString[] = [];
    let at = this.#get(ino);
    for (; at.ino !== ROOT; at = at.parent) parts.push(at.name);
    if (at.name !== "") parts.push(at.name);
    return parts.toReversed().join("/");
  }

  parent(ino: Ino): Ino {
    return this.#get(ino).parent.ino;
  }

  join(path: ByteString, name: ByteString): ByteString {
    if (name === "" || name === "." || name === ".." || /[/\0]/.test(name)) throw fsError(ERRNO.EINVAL);
    return path === "" ? name : `${path}/${name}`;
  }

  /** The number of a name, a new one the first time. */
  ino(dir: Ino, name: ByteString): Ino {
    const parent = this.#get(dir);
    const known = parent.children.get(name);
    if (known !== undefined) return known.ino;
    this.#last += 1;
    const fresh: Name = { ino: this.#last, parent, name, children: new Map() };
    parent.children.set(name, fresh);
    this.#names.set(fresh.ino, fresh);
    return fresh.ino;
  }

  /** The name was removed; its number stays valid for who has it open. */
  forget(dir: Ino, name: ByteString): Ino {
    const ino = this.ino(dir, name);
    this.#get(dir).children.delete(name);
    return ino;
  }

  /** A rename: what was there is forgotten, everything beneath comes along. */
  move(fromDir: Ino, fromName: ByteString, toDir: Ino, toName: ByteString): Ino {
    const moved = this.#get(this.ino(fromDir, fromName));
    const to = this.#get(toDir);
    this.#get(fromDir).children.delete(fromName);
    to.children.set(toName, moved);
    moved.parent = to;
    moved.name = toName;
    return moved.ino;
  }
}
