// The ports: what the pure rooms need from outside, implemented elsewhere and handed in by the engine (the composition root).
// DirFs — core implements it with openat2(2) and *at(2) calls, layers/node with plain node:fs, layers/memfs over memfs.
import type { ByteString } from "./bytes.ts";
import type { Digest } from "./digest.ts";

/** Kinds of file: the seven of inode(7). */
export type FileType = "file" | "dir" | "symlink" | "char" | "block" | "fifo" | "socket";

/** What an implementation of {@link DirFs} can do; a caller that needs more must refuse, not approximate. */
export interface DirFsFeatures {
  /** Paths are resolved by the kernel beneath a descriptor: safe against concurrent renames (openat2 RESOLVE_BENEATH). */
  readonly beneath: boolean;
  /** mknod of devices, fifos and sockets. */
  readonly mknod: boolean;
  /** Extended attributes, as bytes. */
  readonly xattrs: boolean;
  /** Ownership can be set. */
  readonly chown: boolean;
  /** Times keep nanoseconds. */
  readonly nanoseconds: boolean;
  /** Names may be any bytes; false where they must be UTF-8. */
  readonly rawNames: boolean;
  /** fsync and syncfs reach a disk. */
  readonly durable: boolean;
}

/** A point in time since the epoch: seconds (may be negative) and nanoseconds 0..999999999. */
export interface Timespec {
  readonly sec: number;
  readonly nsec: number;
}

/** lstat(2) of one name. */
export interface FileStat {
  readonly type: FileType;
  /** Permission bits with setuid, setgid and sticky: mode & 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes. */
  readonly size: number;
  readonly nlink: number;
  readonly ino: number;
  readonly dev: number;
  /** Device numbers of char and block files, else 0. */
  readonly rdevMajor: number;
  readonly rdevMinor: number;
  /** 512-byte blocks. */
  readonly blocks: number;
  readonly atime: Timespec;
  readonly mtime: Timespec;
  readonly ctime: Timespec;
}

/** One name of a directory; `type` is undefined when the filesystem does not tell. */
export interface DirEntry {
  readonly name: ByteString;
  readonly type: FileType | undefined;
}

/** How to open a file. `create` with `exclusive` never follows or truncates what exists. */
export interface OpenOptions {
  readonly read?: boolean;
  readonly write?: boolean;
  readonly append?: boolean;
  readonly create?: boolean;
  readonly exclusive?: boolean;
  readonly truncate?: boolean;
  /** Permission bits of a created file, before the umask; default 0o644. */
  readonly mode?: number;
}

/** An open regular file. All calls are synchronous; positions are bytes. */
export interface FileHandle extends Disposable {
  /** The descriptor when the kernel has one. */
  readonly fd: number | undefined;
  stat(): FileStat;
  /** Reads at `position`, or at the file offset when undefined; returns bytes read, 0 at the end. */
  read(into: Uint8Array, offset: number, length: number, position?: number): number;
  /** Writes all of the range; returns `length`. Short writes are retried inside. */
  write(from: Uint8Array, offset: number, length: number, position?: number): number;
  truncate(size: number): void;
  fsync(): void;
  close(): void;
}

/**
 * An open directory, and everything beneath it. Paths are relative ByteStrings with "/" between components ("" is the
 * directory itself), never absolute, never with ".." and never through a symbolic link: the last component is not
 * followed either. Failures throw Node-shaped system errors (ENOENT, EEXIST, ELOOP …).
 */
export interface DirFs extends Disposable {
  readonly features: DirFsFeatures;
  /** The descriptor when the kernel has one. */
  readonly fd: number | undefined;
  /** Opens a directory beneath. */
  openDir(path: ByteString): DirFs;
  /** lstat; undefined when the name does not exist. */
  stat(path: ByteString): FileStat | undefined;
  readdir(path: ByteString): DirEntry[];
  mkdir(path: ByteString, mode?: number): void;
  open(path: ByteString, options: OpenOptions): FileHandle;
  readlink(path: ByteString): ByteString;
  symlink(target: ByteString, path: ByteString): void;
  /** Hard link; neither side is followed. */
  link(existing: ByteString, path: ByteString): void;
  /** Device, fifo or socket: mknod(2); `mode` is the permission bits. */
  mknod(path: ByteString, type: FileType, mode: number, major: number, minor: number): void;
  unlink(path: ByteString): void;
  rmdir(path: ByteString): void;
  /** rename(2); into `toDir` (a directory of the same implementation) when given; `noReplace` is RENAME_NOREPLACE. */
  rename(from: ByteString, to: ByteString, options?: { readonly toDir?: DirFs; readonly noReplace?: boolean }): void;
  chmod(path: ByteString, mode: number): void;
  chown(path: ByteString, uid: number, gid: number): void;
  utimes(path: ByteString, atime: Timespec, mtime: Timespec): void;
  /** Names of extended attributes; [] where the filesystem has none. */
  listXattrs(path: ByteString): ByteString[];
  /** Undefined when the attribute is not set. */
  getXattr(path: ByteString, name: ByteString): Uint8Array | undefined;
  setXattr(path: ByteString, name: ByteString, value: Uint8Array): void;
  removeXattr(path: ByteString, name: ByteString): void;
  /** fsync(2) of the directory itself. */
  fsync(): void;
  /** syncfs(2): everything beneath is on disk after it. */
  syncfs(): void;
  close(): void;
}

/** A running hash. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  /** Lowercase hex; the hasher is spent. */
  hex(): string;
}

/** Content hashing: node:crypto in Node, WebCrypto-free JavaScript or a worker elsewhere. */
export interface HashPort {
  create(algorithm: "sha256" | "sha512"): Hasher;
  /** One-shot. */
  digest(algorithm: "sha256" | "sha512", bytes: Uint8Array): Digest;
}

/** Compression of layers: RFC 1952 gzip and RFC 8878 zstd. Streams are async iterables of chunks, pulled at the reader's pace. */
export interface CompressionPort {
  readonly formats: readonly CompressionFormat[];
  decompress(format: CompressionFormat, input: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /** Whole buffer; throws `ERR_LAP_LIMIT` when the output would exceed `maxBytes`. */
  decompressSync(format: CompressionFormat, input: Uint8Array, maxBytes: number): Uint8Array;
  /** Deterministic for one implementation and level. */
  compress(format: CompressionFormat, input: AsyncIterable<Uint8Array>, level?: number): AsyncIterable<Uint8Array>;
}

export type CompressionFormat = "gzip" | "zstd";

/** TLS of one connection, PEM text; absent parts mean the system's authorities and no client certificate. */
export interface HttpTls {
  /** Authorities trusted besides the system's. */
  readonly ca?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
  /** Accept any certificate: only for a host that the user named as insecure. */
  readonly skipVerify?: boolean;
}

/** The parts of one HTTP request. */
export interface HttpRequest {
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
  readonly tls?: HttpTls;
}

/** An HTTP response whose body is still on its way; who gets one reads the body or ends its iterator. */
export interface HttpResponse {
  readonly status: number;
  /** Names in lower case; repeated headers joined with ", ". */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * An HTTP client: it follows no redirect, decodes no content, retries nothing, and bounds connecting, headers, silence and the
 * whole in time. Fails with the signal's reason when aborted, else with a LapError: `ERR_LAP_HTTP_REFUSED` (no connection, no
 * such host), `ERR_LAP_HTTP_TLS` (no trust), `ERR_LAP_HTTP_NOT_TLS` (the server speaks plain), `ERR_LAP_HTTP_INVALID` (not HTTP),
 * `ERR_LAP_HTTP_TIMEOUT`, `ERR_LAP_HTTP_CUT` (any other break). An error of the request's own body comes out as it is.
 */
export interface HttpPort {
  request(url: string, request: HttpRequest): Promise<HttpResponse>;
}

/** Wall clock and timers. */
export interface ClockPort {
  /** Now, since the epoch. */
  now(): Timespec;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Where warnings and debug lines go; the command line prints them, tests collect them. */
export interface Logger {
  debug(message: string, detail?: Readonly<Record<string, unknown>>): void;
  warn(message: string, detail?: Readonly<Record<string, unknown>>): void;
}

/** One step of long work, for progress bars; sizes in bytes. */
export interface ProgressEvent {
  /** What it is about: a layer digest, a reference. */
  readonly id: string;
  /** Docker's wording: "Downloading", "Extracting", "Pull complete" … */
  readonly status: string;
  readonly current?: number;
  readonly total?: number;
}

export type ProgressSink = (event: ProgressEvent) => void;
