// Volumes and tmpfs of a Wasm container, as its guest sees them: through calls that resolve beneath a descriptor and follow no
// link. Loaded by containers that have some only: the calls need core.
import { LapError, parseSize, toByteString } from "@lapstrake/base";
import { openDirFs } from "@lapstrake/core";
import { UnionFs, type InodeFs } from "@lapstrake/layers";
import { DirInodes, MountFs, type Mount } from "@lapstrake/wasm";
import { byDepth } from "../volumes/by-depth.ts";
import type { RecordMount } from "../volumes/types.ts";
import type { ContainerRecord } from "../state/record.ts";
import { volumePlace } from "./handover.ts";

/** The guest's filesystem with its volumes, on directories that exist. */
export function mountVolumes(fs: UnionFs, { mounts = [] }: ContainerRecord): InodeFs {
  const sorted = byDepth(mounts);
  // The places are numbered as the bundle numbered them.
  const places = sorted.filter(({ type }) => type !== "tmpfs");
  return new MountFs(
    fs,
    sorted.map((mount) => (mount.type === "tmpfs" ? tmpfs(mount) : openVolume(mount, places.indexOf(mount)))),
  );
}

function tmpfs({ target, options = [] }: RecordMount): Mount {
  return { path: toByteString(target), fs: UnionFs.create([], tmpfsOptions(options)) };
}

/** `size=64m`, `ro`; options that only a kernel's tmpfs has mean nothing here. */
function tmpfsOptions(words: readonly string[]): { maxBytes?: number; readOnly?: boolean } {
  const size = words.find((word) => word.startsWith("size="))?.slice("size=".length);
  return {
    ...(size === undefined ? {} : { maxBytes: parseSize(size) }),
    ...(words.includes("ro") ? { readOnly: true } : {}),
  };
}

function openVolume({ source, target, readOnly }: RecordMount, index: number): Mount {
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
