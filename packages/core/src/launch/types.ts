// What goes into a launch and what comes out: the seam between the engine and core.
import type { RuntimeSpec } from "@lapstrake/base";
import type { Attachment } from "../supervisor/types.ts";

/** Where the container's root filesystem comes from. Overlay layers are directories, top first. */
export type Rootfs =
  | { readonly kind: "dir"; readonly path: string }
  | {
      readonly kind: "overlay";
      /** Absolute host paths, the topmost first; at most 500. */
      readonly lowerdirs: readonly string[];
      readonly upperdir: string;
      readonly workdir: string;
      /**
       * A read-only overlay of its own beneath `lowerdirs` (which may then be empty but for it), for lowers that hold the upper,
       * such as "/". It is mounted on `at`, an existing directory.
       */
      readonly base?: { readonly lowerdirs: readonly string[]; readonly at: string };
      /** Skip every sync of the upper: for throw-away containers and build steps. */
      readonly volatile?: boolean;
      /** Overlay `userxattr`, needed inside a user namespace. */
      readonly userxattr?: boolean;
      /** The layers belong to the host's ids and show as the container's: id-mapped, for a container with a user namespace. */
      readonly mapped?: boolean;
    };

/** What core runs: an OCI runtime spec and the root filesystem it stands on (`spec.root.path` is not read). */
export interface Bundle {
  readonly spec: RuntimeSpec;
  readonly rootfs: Rootfs;
}

/** json-file log with rotation; `maxBytes` 0 never rotates; `maxFiles` counts the live one. */
export interface LogOptions {
  readonly path: string;
  readonly maxBytes: number;
  readonly maxFiles: number;
  /** JSON object that every line has as `attrs`. */
  readonly attrs?: string;
  /** Output waits for the log in so much memory, at least 64 KiB, and what does not fit is lost; absent has the program wait. */
  readonly bufferBytes?: number;
}

/** What an OCI command line does differently from the engine. */
export interface OciOptions {
  /** False: the helper leaves once the process runs or waits; whoever is subreaper supervises. */
  readonly supervised: boolean;
  /** The process waits for {@link releaseGate} after everything that can fail but execve. */
  readonly gate: boolean;
  /** The process gets the caller's 0, 1 and 2 (without a pty). */
  readonly inheritStdio: boolean;
  /** Absolute path of a unix socket that receives the pty's master by SCM_RIGHTS. */
  readonly consoleSocket?: string;
  /** Absolute path of a unix socket that receives a pidfd of the process by SCM_RIGHTS. */
  readonly pidfdSocket?: string;
  /** Absolute path of the bundle, for the state that a seccomp agent is sent. */
  readonly bundle?: string;
  /** How many of the caller's descriptors from 3 on the process gets. */
  readonly preserveFds: number;
}

/** How the supervisor keeps a container. */
export interface LaunchOptions {
  /** Existing private directory that receives `status` and `ctl.sock`. Absolute. */
  readonly containerDir: string;
  readonly id: string;
  readonly stdio: "pty" | "pipes";
  /** False gives the container /dev/null as standard input. */
  readonly openStdin: boolean;
  /** The first client that ends its input ends the container's; else input stays open for the next client. */
  readonly stdinOnce: boolean;
  readonly ttySize?: { readonly rows: number; readonly cols: number };
  /** Null keeps no log. */
  readonly log: LogOptions | null;
  /** Program that cleans up after exit (absolute path first); empty runs nothing. */
  readonly reapArgv: readonly string[];
  /** The initial client owns the clean-up while it stays connected; see `Attachment.reaped`. */
  readonly foreground: boolean;
  /** The container is killed when the initial client, its owner, is gone: closed, or dead however it died. Needs `foreground`. */
  readonly leashed?: boolean;
  /** A small process waits beside the supervisor and runs `reapArgv` when that is killed. */
  readonly guarded?: boolean;
  /** Hand the launching process a connected {@link Attachment} (all three streams). */
  readonly initialClient: boolean;
  /** The container waits, its mounts made, until what `launch` is given as `meanwhile` is done. */
  readonly awaitCaller?: boolean;
  /** For an OCI command line: no supervisor stays, the caller's streams, a gate before exec. */
  readonly oci?: OciOptions;
  /** Which streams the initial client is attached to; default all. */
  readonly attach?: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean };
}

/** A started container. */
export interface Launched {
  readonly supervisorPid: number;
  /** Pid of the container's first process in the caller's pid namespace. */
  readonly pid: number;
  /** Present when `initialClient` was asked for. */
  readonly attachment: Attachment | undefined;
}
