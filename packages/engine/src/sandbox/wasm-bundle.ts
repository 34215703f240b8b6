// A Wasm container as a bundle: the payload is our own Node with the Wasm host, in a Linux container that sees only what it
// needs: its program, the image blobs (read-only) and one directory of its own to hand its changes back in. The guest sees the union only.
import { existsSync, lstatSync, mkdirSync, readlinkSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { defaultSpec, hostFacts, type Bundle } from "@lapstrake/core";
import type { MountSpec, NamespaceSpec, RuntimeSpec, SeccompSpec } from "@lapstrake/base";
import { parseSecurityOptions, seccompSpec } from "../containers/security.ts";
import { CGROUP_PARENT } from "../containers/bundle.ts";
import { managedFileMounts } from "../containers/managed-files.ts";
import type { EngineContext } from "../context.ts";
import type { PreparedNetwork } from "../network/attach.ts";
import { dirOf } from "../state/containers.ts";
import type { ContainerRecord } from "../state/record.ts";
import { handoverDir, PLACES, volumePlace, translationsDir } from "./handover.ts";
import { isRootless, rootlessSpec } from "./rootless.ts";
import { ALONE_FLAG } from "./wasm-payload.ts";
import { payloadResources } from "./wasm-limits.ts";
import { ANY_PORT, withNetwork } from "./wasm-network.ts";

/** Shared libraries of the Node binary. */
const LIBRARIES = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"];
/** All of a default container's mounts that Node needs. */
const KERNEL_MOUNTS = ["/proc", "/dev"];

/** The bundle that runs a Wasm container's payload; `alone`, it takes no exec. */
export function wasmBundle(
  context: EngineContext,
  record: ContainerRecord,
  mounts: readonly MountSpec[],
  alone: boolean,
  network?: PreparedNetwork,
): Bundle {
  const dir = dirOf(context.paths, record);
  const rootfs = join(dir, "sandbox");
  makeRoot(rootfs);
  mkdirSync(handoverDir(dir), { recursive: true, mode: 0o700 });
  const base = defaultSpec();
  const { tty } = record.process;
  const isConfined = !parseSecurityOptions(record.request.securityOpt ?? []).wasmUnconfined;
  const spec: RuntimeSpec = {
    ...base,
    ...(isConfined ? { hostname: record.hostname } : {}),
    root: { path: "rootfs", readonly: true },
    process: {
      ...base.process,
      terminal: tty,
      cwd: "/",
      env: ["PATH=/usr/bin:/bin"],
      args: [...context.wasmArgv, PLACES.container, PLACES.store, ...(alone ? [ALONE_FLAG] : [])],
      user: { uid: 0, gid: 0 },
      noNewPrivileges: true,
      ...(isConfined ? { capabilities: NO_CAPABILITIES } : {}),
    },
    mounts: [
      ...(base.mounts ?? []).filter(({ destination }) =>
        [...KERNEL_MOUNTS, ...(tty ? ["/dev/pts"] : [])].includes(destination),
      ),
      ...LIBRARIES.filter(isRealDir).map((path) => bind(path, path, "rro")),
      ...context.programRoots.map((path) => bind(path, path, "rro")),
      ...(record.rootfs.kind === "module" ? [] : [bind(context.paths.images, join(PLACES.store, "images"), "rro")]),
      ...translations(context),
      ...nameFiles(record, network?.filesDir ?? dir, network !== undefined),
      bind(dir, PLACES.container, "rro"),
      bind(handoverDir(dir), handoverDir(PLACES.container), "rw"),
      ...mounts
        .filter(({ type }) => type !== "tmpfs")
        .map((mount, index) => ({ ...mount, destination: volumePlace(index) })),
    ],
    linux: {
      ...base.linux,
      ...(isConfined ? payloadFilter() : {}),
      namespaces: withNetwork(
        isConfined ? (base.linux?.namespaces ?? []) : unconfinedNamespaces(),
        record.request,
        network,
      ),
      ...(network?.connect === undefined ? {} : { sysctl: ANY_PORT }),
      cgroupsPath: `${CGROUP_PARENT}/${record.id}`,
      resources: { ...base.linux?.resources, ...payloadResources(record.request, hostFacts().cgroups.length > 0) },
    },
  };
  return { rootfs: { kind: "dir", path: rootfs }, spec: isRootless() ? rootlessSpec(spec) : spec };
}

const NO_CAPABILITIES = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] };

/** `--security-opt wasm=unconfined`: only a mount namespace, where the payload's files have their places. Without root /proc needs its own. */
function unconfinedNamespaces(): NamespaceSpec[] {
  return isRootless() ? [{ type: "mount" }, { type: "pid" }] : [{ type: "mount" }];
}

/** Who names the hosts that the payload connects to; without a network it needs no names. */
function nameFiles({ request }: ContainerRecord, dir: string, isConnected: boolean): MountSpec[] {
  if (!isConnected && request.network !== "host") return [];
  return managedFileMounts(dir).map((mount) => ({ ...mount, options: ["rbind", "rro", "rprivate"] }));
}

/** Translated components, where there are any. */
function translations({ paths }: EngineContext): MountSpec[] {
  const dir = translationsDir(paths.root);
  return existsSync(dir) ? [bind(dir, translationsDir(PLACES.store), "rro")] : [];
}

/** The root of the payload's sandbox: places for its mounts, and the machine's links between library folders. */
function makeRoot(rootfs: string): void {
  mkdirSync(rootfs, { recursive: true, mode: 0o755 });
  for (const path of LIBRARIES.filter((library) => existsSync(library) && !isRealDir(library))) {
    const link = join(rootfs, path);
    mkdirSync(dirname(link), { recursive: true, mode: 0o755 });
    if (!existsSync(link)) symlinkSync(readlinkSync(path), link);
  }
}

/** The default filter of a process without capabilities. */
function payloadFilter(): { seccomp?: SeccompSpec } {
  const seccomp = seccompSpec("default", [], false);
  return seccomp === undefined ? {} : { seccomp };
}

function bind(source: string, destination: string, mode: "rro" | "rw"): MountSpec {
  return { destination, type: "bind", source, options: ["rbind", mode, "rprivate"] };
}

function isRealDir(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
