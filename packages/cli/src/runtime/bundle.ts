// A bundle folder: config.json checked, its root filesystem found (bundle.md).
import { closeSync, fstatSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { LapError, parseJsonObject, type MountSpec, type RuntimeSpec } from "@lapstrake/base";
import { validateSpec, type Rootfs } from "@lapstrake/core";

const MAX_CONFIG = 16 * 1024 * 1024;

/** Bytes of a file of at most 16 MiB; throws `ERR_LAP_LIMIT`. */
export function readBounded(path: string): Uint8Array {
  const fd = openSync(path, "r");
  try {
    const { size } = fstatSync(fd);
    if (size > MAX_CONFIG)
      throw new LapError(
        "invalidArgument",
        "ERR_LAP_LIMIT",
        `"${path}" has ${size} bytes, more than the limit of ${MAX_CONFIG}`,
      );
    const buffer = Buffer.alloc(MAX_CONFIG + 1);
    let length = 0;
    for (let got = -1; got !== 0 && length < buffer.length; length += got)
      got = readSync(fd, buffer, length, buffer.length - length, null);
    return buffer.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}

// config.md "mounts": the source of a bind mount is absolute or relative to the bundle.
function absoluteSource(bundle: string, mount: MountSpec): MountSpec {
  const isBind = mount.type === "bind" || (mount.options ?? []).some((one) => one === "bind" || one === "rbind");
  if (!isBind || mount.source === undefined || mount.source.startsWith("/")) return mount;
  return { ...mount, source: resolve(bundle, mount.source) };
}

/** Reads and checks the bundle's config; throws `ERR_LAP_SPEC_INVALID` and kin. */
export function loadConfig(bundle: string, file: string | undefined): RuntimeSpec {
  const path = file ?? join(bundle, "config.json");
  const spec = validateSpec(parseJsonObject(readBounded(path), "config.json", MAX_CONFIG));
  if (spec.mounts === undefined) return spec;
  return { ...spec, mounts: spec.mounts.map((mount) => absoluteSource(bundle, mount)) };
}

/** The root filesystem of a bundle: a directory. */
export function rootfsOf(bundle: string, spec: RuntimeSpec): Rootfs {
  if (spec.root === undefined) throw new LapError("invalidArgument", "ERR_LAP_SPEC_INVALID", "root: is missing");
  const path = resolve(bundle, spec.root.path);
  try {
    if (!statSync(path).isDirectory())
      throw new LapError("invalidArgument", "ERR_LAP_SPEC_INVALID", `root.path: "${path}" is not a directory`);
    return { kind: "dir", path: realpathSync(path) };
  } catch (cause) {
    if (cause instanceof LapError) throw cause;
    throw new LapError("invalidArgument", "ERR_LAP_SPEC_INVALID", `root.path: "${path}" cannot be read`, { cause });
  }
}
