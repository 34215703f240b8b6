// What copies between a container and the machine are told and tell.
import type { FileType, Timespec } from "@lapstrake/base";

/** lstat of a path in a container, as the Engine API's archive call gives it. */
export interface PathStat {
  /** Last component of the path as asked. */
  readonly name: string;
  readonly type: FileType;
  /** Permission bits. */
  readonly mode: number;
  /** Bytes. */
  readonly size: number;
  readonly mtime: Timespec;
  /** Of a symbolic link: what it leads to, absolute in the container; "" otherwise. */
  readonly linkTarget: string;
}

/** How a copy treats owners. */
export interface CopyOptions {
  /** `-a`: out of a container, owners are kept; into one, files belong to its user. */
  readonly archive?: boolean;
  /** `-L`: a link at the source is followed. */
  readonly followLink?: boolean;
}
