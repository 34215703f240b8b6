// What is mounted into a container, as asked (MountRequest, the fields of docker's --mount) and as decided at create (RecordMount).

/** One mount as it is asked for; `-v` and `--mount` are codecs of it. */
export interface MountRequest {
  readonly type: "bind" | "volume" | "tmpfs" | "image";
  /** Absolute path in the container. */
  readonly target: string;
  /** Path of this machine, name of a volume, or image; absent for an anonymous volume and for tmpfs. */
  readonly source?: string;
  readonly readOnly?: boolean;
  /** Of a bind: private, rprivate, shared, rshared, slave or rslave. */
  readonly propagation?: string;
  /** Of a bind: `disabled` leaves mounts beneath away, `writable` leaves them writable under a read-only one; default `enabled`. */
  readonly recursive?: "enabled" | "disabled" | "writable" | "readonly";
  /** Of a bind: make a missing source. */
  readonly createSource?: boolean;
  /** Of a bind or volume: owners of the source show as the container's, by an idmapped mount. */
  readonly idmap?: boolean;
  /** Of a volume: do not copy the image's content into it. */
  readonly noCopy?: boolean;
  /** Of a volume or image: mount this path beneath it. */
  readonly subpath?: string;
  /** Of a volume that is made: labels, driver and options. */
  readonly volumeLabels?: Readonly<Record<string, string>>;
  readonly volumeDriver?: string;
  readonly volumeOptions?: Readonly<Record<string, string>>;
  /** Of a tmpfs: bytes. */
  readonly tmpfsSizeBytes?: number;
  /** Of a tmpfs: permission bits. */
  readonly tmpfsMode?: number;
}

/** One mount of a container, decided once at create. */
export interface RecordMount {
  readonly type: MountRequest["type"];
  /** Clean absolute path in the container. */
  readonly target: string;
  /** Path of a bind, name of a volume, image of an image mount, "" of a tmpfs. */
  readonly source: string;
  readonly readOnly: boolean;
  /** Docker's Mode column: options as typed behind `-v`, `z` of a named volume. */
  readonly mode: string;
  /** Of a bind. */
  readonly propagation?: string;
  readonly recursive?: MountRequest["recursive"];
  /** A missing source of `-v` is made. */
  readonly createSource?: boolean;
  readonly idmap?: boolean;
  /** A volume that goes with its container. */
  readonly anonymous?: boolean;
  readonly subpath?: string;
  /** Of a tmpfs: options of mount(8). */
  readonly options?: readonly string[];
  /** Of an image mount: names of the layer directories, top first. */
  readonly layers?: readonly string[];
  /** From `--tmpfs`, which docker does not list among the mounts. */
  readonly unlisted?: boolean;
}
