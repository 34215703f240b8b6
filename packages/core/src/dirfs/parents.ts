// Parent directories of the last few paths, kept open: an archive's entries come directory by directory.
import type { ByteString } from "@lapstrake/base";
import type { SyscallPort } from "../sys/port.ts";
import { openParent } from "./beneath.ts";

const CAPACITY = 16;
/** A call names two paths at most. */
const LIVE_CAPACITY = 2;

// Any rename or removal of a directory in this process, by any instance, may make a kept descriptor the wrong directory.
let generation = 0;

/** To be called after every rename and rmdir. */
export function forgetParents(): void {
  generation++;
}

/** An open directory and the name of a path's last component in it. */
export interface Place {
  readonly fd: number;
  readonly name: ByteString;
}

/** The kept parents of one root descriptor. */
export class Parents {
  readonly #sys: SyscallPort;
  readonly #root: number;
  readonly #open = new Map<ByteString, number>();
  readonly #live: boolean;
  #generation = generation;

  /** `live`: other processes rename beneath meanwhile, so every path is resolved anew. */
  constructor(sys: SyscallPort, root: number, live: boolean) {
    this.#sys = sys;
    this.#root = root;
    this.#live = live;
  }

  /** Where `path` is; throws when its parent does not exist or is not beneath. */
  locate(path: ByteString): Place {
    const slash = path.lastIndexOf("/");
    if (slash < 0) return { fd: this.#root, name: path === "" ? "." : path };
    return { fd: this.#parent(path.slice(0, slash)), name: path.slice(slash + 1) };
  }

  #parent(dir: ByteString): number {
    if (this.#generation !== generation) this.clear();
    const kept = this.#live ? undefined : this.#open.get(dir);
    if (kept !== undefined) return kept;
    const fd = openParent(this.#sys, this.#root, dir);
    if (this.#open.size >= (this.#live ? LIVE_CAPACITY : CAPACITY)) this.#evict();
    this.#open.set(this.#live ? String(fd) : dir, fd);
    return fd;
  }

  #evict(): void {
    for (const [dir, fd] of this.#open) {
      this.#sys.call("close", fd);
      this.#open.delete(dir);
      return;
    }
  }

  clear(): void {
    for (const fd of this.#open.values()) this.#sys.call("close", fd);
    this.#open.clear();
    this.#generation = generation;
  }
}
