// The reserved image `host`: the machine's own root as the lowest layer. What must not be seen is hidden by a second layer of
// whiteouts over it, so that hidden names simply do not exist (a mount on top would make `rm -rf /var` fail with EBUSY).
import { lstatSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { LapError, toByteString, errorCode, type DirFs } from "@lapstrake/base";
import { isRootless } from "./rootless.ts";

/** Sockets of container engines: one of them is root on the machine. */
const SOCKETS = [
  "/run/docker.sock",
  "/run/docker",
  "/run/containerd",
  "/run/podman",
  "/run/crio",
  "/run/buildkit",
  "/run/user",
  "/run/dbus",
  "/run/systemd/private",
  "/run/systemd/notify",
  "/run/secrets",
];
const CREDENTIALS = [
  "/etc/shadow",
  "/etc/shadow-",
  "/etc/gshadow",
  "/etc/gshadow-",
  "/etc/ssh",
  "/etc/ssl/private",
  "/etc/kubernetes",
  "/etc/krb5.keytab",
  "/etc/wireguard",
  "/var/lib/docker",
  "/var/lib/containerd",
  "/var/lib/containers",
  "/var/lib/kubelet",
];
const HOME_CREDENTIALS = [
  ".ssh",
  ".gnupg",
  ".aws",
  ".azure",
  ".kube",
  ".docker",
  ".netrc",
  ".npmrc",
  ".pypirc",
  ".pgpass",
  ".my.cnf",
  ".git-credentials",
  ".password-store",
  ".vault-token",
  ".config/gcloud",
  ".config/gh",
  ".config/git/credentials",
  ".config/containers/auth.json",
  ".cargo/credentials.toml",
  ".local/share/keyrings",
];

/** Throws when this process cannot use the host image. */
export function checkHostImage(): void {
  if (process.platform === "linux" && !isRootless()) return;
  throw new LapError("failedPrecondition", "ERR_LAP_HOST_IMAGE_ROOT", "the image `host` needs root on Linux", {
    hint: "the kernel refuses an overlay of / in a user namespace: run as root, or use an image",
  });
}

/** Paths to hide: stores always; sockets and credentials unless `noMask`; then what was asked for. */
export function hostMasks(stores: readonly string[], extra: readonly string[], noMask: boolean): string[] {
  const defaults = noMask
    ? []
    : [...SOCKETS, ...CREDENTIALS, ...homes().flatMap((home) => HOME_CREDENTIALS.map((name) => join(home, name)))];
  const wanted = [...stores, ...defaults, ...extra.map(checkAbsolute)];
  const real = wanted.flatMap((path) => realPath(path) ?? []);
  return [...new Set(real)].toSorted().filter((path, _, all) => !all.some((other) => path.startsWith(`${other}/`)));
}

function checkAbsolute(path: string): string {
  if (path.startsWith("/") && path !== "/") return path;
  throw new LapError("invalidArgument", "ERR_LAP_MASK_INVALID", `invalid path to mask "${path}"`, {
    hint: "name an absolute path below /",
  });
}

function homes(): string[] {
  const lines = readFileSync("/etc/passwd", "utf8").split("\n");
  return [
    ...new Set(lines.map((line) => line.split(":")[5] ?? "").filter((home) => home.startsWith("/") && home !== "/")),
  ];
}

/** Without links in its parents, so that whiteouts land where lookups end; undefined when nothing is there. */
function realPath(path: string): string | undefined {
  try {
    lstatSync(path);
    return join(realpathSync(dirname(path)), path.slice(path.lastIndexOf("/") + 1));
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES") return undefined;
    throw error;
  }
}

/** Fills `out` with whiteouts for `masks`; parents carry the host's metadata, because a top layer's metadata shows. */
export function writeMaskLayer(out: DirFs, host: DirFs, masks: readonly string[]): void {
  const parents = new Set<string>([""]);
  for (const mask of masks) {
    const path = toByteString(mask.slice(1));
    makeParents(out, host, path, parents);
    out.mknod(path, "char", 0, 0, 0);
  }
  for (const parent of [...parents].toSorted((a, b) => b.length - a.length)) {
    const stat = host.stat(parent);
    if (stat === undefined) continue;
    out.chown(parent, stat.uid, stat.gid);
    out.chmod(parent, stat.mode);
    out.utimes(parent, stat.atime, stat.mtime);
  }
}

function makeParents(out: DirFs, host: DirFs, path: string, made: Set<string>): void {
  for (let slash = path.indexOf("/"); slash > 0; slash = path.indexOf("/", slash + 1)) {
    const parent = path.slice(0, slash);
    if (made.has(parent)) continue;
    out.mkdir(parent, host.stat(parent)?.mode ?? 0o755);
    made.add(parent);
  }
}
