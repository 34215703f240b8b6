// A Wasm container as a bundle: the payload is our own Node with the Wasm host, in a Linux container that sees only what it
// needs: its program, the image blobs (read-only) and one directory of its own to hand its changes back in. The guest sees the union only.
import { existsSync, lstatSync, mkdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { defaultSpec, type Bundle } from "@lapstrake/core";
import type { MountSpec, RuntimeSpec, SeccompSpec } from "@lapstrake/base";
import { bindMount } from "../containers/binds.ts";
import { seccompSpec } from "../containers/security.ts";
import { CGROUP_PARENT } from "../containers/bundle.ts";
import type { EngineContext } from "../context.ts";
import { dirOf } from "../state/containers.ts";
import type { ContainerRecord } from "../state/record.ts";
import { handoverDir, volumePlace } from "./handover.ts";
import { isRootless, rootlessSpec } from "./rootless.ts";

/** Shared libraries of the Node binary. */
const LIBRARIES = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"];

/** The bundle that runs a Wasm container's payload. */
export function wasmBundle(context: EngineContext, record: ContainerRecord): Bundle {
  const dir = dirOf(context.paths, record);
  const rootfs = join(dir, "sandbox");
  mkdirSync(rootfs, { recursive: true, mode: 0o755 });
  mkdirSync(handoverDir(dir), { recursive: true, mode: 0o700 });
  const base = defaultSpec();
  const readOnly = [...LIBRARIES.filter(isRealDir), ...context.programRoots, context.paths.images];
  const spec: RuntimeSpec = {
    ...base,
    hostname: record.hostname,
    root: { path: "rootfs", readonly: true },
    process: {
      ...base.process,
      terminal: record.process.tty,
      cwd: "/",
      env: ["PATH=/usr/bin:/bin"],
      args: [...context.wasmArgv, dir, context.paths.root],
      user: { uid: 0, gid: 0 },
      noNewPrivileges: true,
      capabilities: { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] },
    },
    mounts: [
      ...(base.mounts ?? []),
      ...readOnly.map((path) => bind(path, "rro")),
      bind(dir, "rro"),
      bind(handoverDir(dir), "rw"),
      ...(record.request.binds ?? []).map((text, index) => ({ ...bindMount(text), destination: volumePlace(index) })),
    ],
    linux: { ...base.linux, ...payloadFilter(), cgroupsPath: `${CGROUP_PARENT}/${record.id}` },
  };
  return { rootfs: { kind: "dir", path: rootfs }, spec: isRootless() ? rootlessSpec(spec) : spec };
}

/** The default filter of a process without capabilities. */
function payloadFilter(): { seccomp?: SeccompSpec } {
  const seccomp = seccompSpec("default", [], false);
  return seccomp === undefined ? {} : { seccomp };
}

function bind(path: string, mode: "rro" | "rw"): MountSpec {
  return { destination: path, type: "bind", source: path, options: ["rbind", mode, "rprivate"] };
}

function isRealDir(path: string): boolean {
  if (!existsSync(path)) return false;
  return !lstatSync(path).isSymbolicLink() || readlinkSync(path) !== "";
}
