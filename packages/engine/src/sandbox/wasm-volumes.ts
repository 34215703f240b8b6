// Volumes and tmpfs of a Wasm container, as its guest sees them: through calls that resolve beneath a descriptor and follow no
// link. Loaded by containers that have some only: the calls need core.
import { LapError, parseSize, toByteString } from "@lapstrake/base";
import { openDirFs } from "@lapstrake/core";
import { UnionFs, type InodeFs } from "@lapstrake/layers";
import { DirInodes, MountFs, type Mount } from "@lapstrake/wasm";
import type { ContainerRecord } from "../state/record.ts";
import { volumePlace } from "./handover.ts";

/** The guest's filesystem with its volumes, on directories that exist. */
export function mountVolumes(fs: UnionFs, record: ContainerRecord): InodeFs {
  const binds = (record.request.binds ?? []).map(bindParts);
  const volumes = binds.map(openVolume);
  const tmpfs = Object.entries(record.request.tmpfs ?? {}).map(([path, options]) => ({
    path: toByteString(path),
    fs: UnionFs.create([], tmpfsOptions(options)),
  }));
  return new MountFs(fs, [...volumes, ...tmpfs]);
}

/** `size=64m,ro` and the like; options that only a kernel's tmpfs has mean nothing here. */
function tmpfsOptions(text: string): { maxBytes?: number; readOnly?: boolean } {
  const words = text.split(",");
  const size = words.find((word) => word.startsWith("size="))?.slice("size=".length);
  return {
    ...(size === undefined ? {} : { maxBytes: parseSize(size) }),
    ...(words.includes("ro") ? { readOnly: true } : {}),
  };
}

interface Bind {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** The text was checked when the container started, outside of this sandbox. */
function bindParts(text: string): Bind {
  const [source = "", target = "", options = ""] = text.split(":");
  return { source, target, readOnly: options.split(",").includes("ro") };
}

function openVolume({ source, target, readOnly }: Bind, index: number): Mount {
  try {
    return {
      path: toByteString(target),
      fs: new DirInodes(openDirFs(volumePlace(index), { live: true }), { readOnly }),
    };
  } catch (cause) {
    throw new LapError("invalidArgument", "ERR_LAP_MOUNT_INVALID", `cannot mount "${source}" into a Wasm container`, {
      hint: "mount a folder, not a single file",
      cause,
    });
  }
}
