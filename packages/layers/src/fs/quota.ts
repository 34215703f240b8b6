// What a filesystem may hold in memory: bytes of changed chunks and inodes of its own. Lower files cost nothing.
import { ERRNO, fsError } from "@lapstrake/base";

/** Use and limits of one union filesystem; bytes count the chunks it owns. */
export class Quota {
  usedBytes = 0;
  usedInodes = 0;
  readonly maxBytes: number;
  readonly maxInodes: number;

  constructor(maxBytes: number = Number.POSITIVE_INFINITY, maxInodes: number = Number.POSITIVE_INFINITY) {
    this.maxBytes = maxBytes;
    this.maxInodes = maxInodes;
  }

  hasRoom(bytes: number): boolean {
    return this.usedBytes + bytes <= this.maxBytes;
  }

  /** Counts one more inode; throws ENOSPC. */
  addInode(): void {
    if (this.usedInodes >= this.maxInodes) throw fsError(ERRNO.ENOSPC);
    this.usedInodes++;
  }
}
