// The flags of run and create, as docker spells them, and what they make of a CreateRequest.
import { resolve } from "node:path";
import { LapError } from "@lapstrake/base";
import type { CreateRequest } from "@lapstrake/engine";
import { checkLabel, checkVariable } from "../args/checks.ts";
import { keyValueLines } from "../args/key-value-files.ts";
import { readFlags, type FlagReader } from "../args/parse.ts";
import { textVariable } from "../args/raw-text.ts";
import type { Flag, FlagValues } from "../args/types.ts";
import { LIFE_FLAGS, lifeRequest } from "./life-flags.ts";
import { guestHttp } from "./guest-http-flags.ts";
import { guestLimits } from "./limit-flag.ts";
import { NETWORK_FLAGS, networkRequest } from "./network-flags.ts";
import { REFUSED_FLAGS } from "./refused-flags.ts";
import { RESOURCE_FLAGS, resourceRequest } from "./resource-flags.ts";

const OWN_FLAGS: readonly Flag[] = [
  {
    long: "allow-host",
    kind: "list",
    help: "Wasm only: host[:port] that the guest may send requests and connect sockets to",
  },
  {
    long: "annotation",
    kind: "list",
    valueName: "map",
    help: "Add an annotation to the container (passed through to the OCI runtime) (default map[])",
  },
  { long: "attach", short: "a", kind: "list", help: "Attach to STDIN, STDOUT or STDERR", check: checkStream },
  { long: "cap-add", kind: "list", help: "Add Linux capabilities" },
  { long: "cap-drop", kind: "list", help: "Drop Linux capabilities" },
  { long: "cidfile", kind: "string", help: "Write the container ID to the file" },
  { long: "domainname", kind: "string", help: "Container NIS domain name" },
  { long: "entrypoint", kind: "string", help: "Overwrite the default ENTRYPOINT of the image" },
  { long: "env", short: "e", kind: "list", help: "Set environment variables", check: checkVariable },
  { long: "env-file", kind: "list", help: "Read in a file of environment variables" },
  { long: "group-add", kind: "list", help: "Add additional groups to join" },
  { long: "hostname", short: "h", kind: "string", help: "Container host name" },
  { long: "include", kind: "list", help: "Image `host` only: show another mount of this machine, read-only" },
  { long: "interactive", short: "i", kind: "bool", help: "Keep STDIN open even if not attached" },
  { long: "label", short: "l", kind: "list", help: "Set meta data on a container", check: checkLabel },
  { long: "label-file", kind: "list", help: "Read in a line delimited file of labels" },
  { long: "limit", kind: "list", help: "Wasm only: timeout=5s, cpu=1s, output=1m, disk=64m, files=100, processes=16" },
  { long: "mask", kind: "list", help: "Image `host` only: hide a path of this machine" },
  { long: "mount", kind: "list", valueName: "mount", help: "Attach a filesystem mount to the container" },
  { long: "name", kind: "string", help: "Assign a name to the container" },
  { long: "no-mask", kind: "bool", help: "Image `host` only: hide nothing but the store" },
  { long: "platform", kind: "string", help: "Set platform if server is multi-platform capable" },
  { long: "privileged", kind: "bool", help: "Give extended privileges to this container" },
  {
    long: "pull",
    kind: "string",
    help: 'Pull image before running ("always", "missing", "never") (default "missing")',
  },
  { long: "quiet", short: "q", kind: "bool", help: "Suppress the pull output" },
  { long: "read-only", kind: "bool", help: "Mount the container's root filesystem as read only" },
  {
    long: "rm",
    kind: "bool",
    help: "Automatically remove the container and its associated anonymous volumes when it exits",
  },
  { long: "runtime", kind: "string", help: "Runtime to use for this container" },
  {
    long: "secret",
    kind: "list",
    help: "Wasm only: NAME=env:VAR or NAME=file:PATH[,host=HOST], put in for the guest's $NAME in what it sends",
  },
  { long: "security-opt", kind: "list", help: "Security Options" },
  { long: "shm-size", kind: "bytes", help: "Size of /dev/shm" },
  { long: "stop-signal", kind: "string", help: "Signal to stop the container" },
  { long: "stop-timeout", kind: "int", help: "Timeout (in seconds) to stop a container" },
  { long: "storage-opt", kind: "list", help: "Storage driver options for the container" },
  { long: "tmpfs", kind: "list", help: "Mount a tmpfs directory" },
  { long: "tty", short: "t", kind: "bool", help: "Allocate a pseudo-TTY" },
  {
    long: "user",
    short: "u",
    kind: "string",
    help: "Username or UID (format: <name|uid>[:<group|gid>])",
  },
  { long: "volume", short: "v", kind: "list", help: "Bind mount a volume" },
  { long: "volumes-from", kind: "list", help: "Mount volumes from the specified container(s)" },
  { long: "workdir", short: "w", kind: "string", help: "Working directory inside the container" },
];

/** Shared by run and create; sorted as help shows them. */
export const CREATE_FLAGS: readonly Flag[] = [
  ...OWN_FLAGS,
  ...NETWORK_FLAGS,
  ...RESOURCE_FLAGS,
  ...LIFE_FLAGS,
  ...REFUSED_FLAGS,
].toSorted((a, b) => (a.long < b.long ? -1 : 1));

/** The request a command line asks for. Throws `ERR_LAP_FILE`, `ERR_LAP_CONFLICTING_OPTIONS`. */
export function createRequest(flags: FlagValues, args: readonly string[]): CreateRequest {
  const read = readFlags(flags);
  const entrypoint = read.text("entrypoint");
  const [image, ...command] = args as [string, ...string[]];
  return prune({
    image,
    command,
    name: read.text("name"),
    entrypoint: entrypoint === undefined ? undefined : [entrypoint],
    env: environment(read),
    workdir: read.text("workdir"),
    user: read.text("user"),
    groupAdd: listOrNone(read, "group-add"),
    hostname: read.text("hostname"),
    domainname: read.text("domainname"),
    tty: read.bool("tty"),
    attach: attachedStreams(read),
    openStdin: read.bool("interactive"),
    autoRemove: read.bool("rm"),
    ...networkRequest(read),
    ...resourceRequest(read),
    ...lifeRequest(read),
    annotations: pairs(read.list("annotation")),
    ...runtimeOf(read),
    labels: pairs([...read.list("label-file").flatMap(keyValueLines), ...read.list("label")]),
    readonlyRootfs: read.bool("read-only"),
    binds: read.has("volume") ? read.list("volume").map(absoluteSource) : undefined,
    volumesFrom: listOrNone(read, "volumes-from"),
    tmpfs: tmpfs(read.list("tmpfs")),
    storageOptions: pairs(read.list("storage-opt")),
    capAdd: listOrNone(read, "cap-add"),
    capDrop: listOrNone(read, "cap-drop"),
    privileged: read.bool("privileged"),
    securityOpt: listOrNone(read, "security-opt"),
    stopSignal: read.text("stop-signal"),
    stopTimeoutSec: read.number("stop-timeout"),
    guestLimits: guestLimits(read.list("limit")),
    guestHttp: guestHttp(read.list("allow-host"), read.list("secret")),
    shmSizeBytes: read.number("shm-size"),
    include: listOrNone(read, "include"),
    mask: listOrNone(read, "mask"),
    noMask: read.bool("no-mask") ? true : undefined,
  });
}

type Loose<T> = { readonly [K in keyof T]: T[K] | undefined };

function prune(request: Loose<CreateRequest> & { readonly image: string }): CreateRequest {
  return Object.fromEntries(
    Object.entries(request).filter(([, value]) => value !== undefined),
  ) as unknown as CreateRequest;
}

const STREAMS = ["stdin", "stdout", "stderr"] as const;

function checkStream(text: string): void {
  if ((STREAMS as readonly string[]).includes(text.toLowerCase())) return;
  throw new LapError("invalidArgument", "ERR_LAP_FLAG_VALUE", "valid streams are STDIN, STDOUT and STDERR");
}

/** What a run in the foreground is attached to; undefined for a detached one. */
function attachedStreams(read: FlagReader): CreateRequest["attach"] {
  const asked = read.list("attach").map((text) => text.toLowerCase());
  if (read.bool("detach")) {
    if (asked.length > 0) {
      const text = "conflicting options: cannot specify both --attach and --detach";
      throw new LapError("invalidArgument", "ERR_LAP_ATTACH_DETACHED", text);
    }
    return undefined;
  }
  const input = read.bool("interactive") ? STREAMS : STREAMS.slice(1);
  return asked.length === 0 ? input : STREAMS.filter((name) => asked.includes(name));
}

/** `--runtime` names the Wasm sandbox or an OCI runtime for Linux. */
function runtimeOf(read: FlagReader): Pick<Loose<CreateRequest>, "platform" | "runtime"> {
  const runtime = read.text("runtime");
  const platform = read.text("platform");
  return runtime === "wasm" ? { platform: platform ?? "wasip1/wasm", runtime: undefined } : { platform, runtime };
}

function listOrNone(read: FlagReader, name: string): readonly string[] | undefined {
  return read.has(name) ? read.list(name) : undefined;
}

/** Env files first, then -e; a bare NAME takes this process's value or is left out. */
export function environment(read: FlagReader): string[] {
  const lines = [...read.list("env-file").flatMap(keyValueLines), ...read.list("env")];
  return lines.flatMap((line) => {
    if (line.includes("=")) return [line];
    const value = textVariable(line);
    return value === undefined ? [] : [`${line}=${value}`];
  });
}

function pairs(lines: readonly string[]): Readonly<Record<string, string>> | undefined {
  if (lines.length === 0) return undefined;
  return Object.fromEntries(lines.map((line) => splitAt(line, "=")));
}

function tmpfs(lines: readonly string[]): Readonly<Record<string, string>> | undefined {
  if (lines.length === 0) return undefined;
  return Object.fromEntries(lines.map((line) => splitAt(line, ":")));
}

/** A source that starts with a dot is a folder beside the caller. */
function absoluteSource(text: string): string {
  const at = text.indexOf(":");
  return at > 0 && text.startsWith(".") ? `${resolve(text.slice(0, at))}${text.slice(at)}` : text;
}

function splitAt(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
