// The root filesystem: overlay or bind, and the choice of overlay features.
import { basename, dirname } from "node:path";
import { LapError, MAX_LAYERS } from "@lapstrake/base";
import type { Rootfs } from "../launch/types.ts";
import type { IdTriples } from "./userns.ts";
import type { PlanOp } from "./types.ts";

// Named one by one, because distributions build different defaults into their kernels: off keeps an upper directory free of
// redirects and metadata copies, so that diff and commit read it without the layers below, and a lower directory may move.
const FEATURES = ["redirect_dir=nofollow", "index=off", "metacopy=off", "xino=off"];

function overlayOptions(rootfs: Extract<Rootfs, { kind: "overlay" }>): string[] {
  const options = [...FEATURES];
  if (rootfs.volatile === true) options.push("volatile");
  if (rootfs.userxattr === true) options.push("userxattr");
  return options;
}

/** The directory that the mounted root covers in the container's namespace: one that no later mount reads from. */
export function rootTarget(rootfs: Rootfs): string {
  return rootfs.kind === "dir" ? rootfs.path : rootfs.upperdir;
}

function checkLayers(lowerdirs: readonly string[]): void {
  if (lowerdirs.length > 0 && lowerdirs.length <= MAX_LAYERS) return;
  throw new LapError("invalidArgument", "ERR_LAP_TOO_MANY_LAYERS", `an overlay has 1 to ${MAX_LAYERS} lower layers`, {
    detail: { layers: lowerdirs.length },
  });
}

// Mounted by the helper as the host's root, so that a layer's trusted attributes hold; its parts are mapped one by one.
function mappedRoot(rootfs: Extract<Rootfs, { kind: "overlay" }>, at: string, maps: IdTriples): PlanOp {
  const { lowerdirs, upperdir, workdir, base } = rootfs;
  checkLayers(lowerdirs);
  if (base !== undefined || dirname(upperdir) !== dirname(workdir)) {
    throw new LapError(
      "invalidArgument",
      "ERR_LAP_SPEC_INVALID",
      "mapped layers need an upper beside its work directory",
    );
  }
  return {
    op: "rootMapped",
    at,
    lowerdirs,
    dir: dirname(upperdir),
    upper: basename(upperdir),
    work: basename(workdir),
    options: overlayOptions(rootfs),
    uids: maps.uidMap,
    gids: maps.gidMap,
  };
}

/**
 * The operations that make the root filesystem on `at`, a directory that only the container's namespace sees covered. A base
 * is an overlay of its own without an upper: the kernel refuses an upper that lies beneath one of its own lowers.
 */
export function rootOps(rootfs: Rootfs, at: string, maps: IdTriples): PlanOp[] {
  if (rootfs.kind === "overlay" && rootfs.mapped === true && maps.uidMap.length > 0)
    return [mappedRoot(rootfs, at, maps)];
  if (rootfs.kind === "dir") return [{ op: "rootBind", at, path: rootfs.path, recursive: 1 }];
  const { lowerdirs, upperdir, workdir, base } = rootfs;
  checkLayers(base === undefined ? lowerdirs : [...lowerdirs, base.at]);
  const top: PlanOp = { op: "rootOverlay", at, lowerdirs, upperdir, workdir, options: overlayOptions(rootfs) };
  if (base === undefined) return [top];
  checkLayers(base.lowerdirs);
  const bottom: PlanOp = {
    op: "rootOverlay",
    at: base.at,
    lowerdirs: base.lowerdirs,
    upperdir: "",
    workdir: "",
    options: FEATURES,
  };
  return [bottom, { ...top, lowerdirs: [...lowerdirs, base.at] }];
}
