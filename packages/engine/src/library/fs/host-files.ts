// The files of a container of this machine, for one call: of a running one through the root its first process sees, every path
// resolved beneath that descriptor (openat2), so that a hostile container cannot lead the caller out; of one that does not run
// through its own overlay, mounted nowhere.
import { openDirFs, openOverlayDirFs, readStatus, startTime } from "@lapstrake/core";
import { LapError, type DirFs } from "@lapstrake/base";
import { nodeFs, type NodeFs } from "@lapstrake/layers";
import { DirInodes } from "@lapstrake/wasm";
import type { Engine } from "../../engine.ts";
import { lockContainer } from "../../containers/lock.ts";
import { isRootless } from "../../sandbox/rootless.ts";
import { prepareRootfs } from "../../sandbox/rootfs.ts";
import type { ContainerRecord } from "../../state/record.ts";

/** Opens them, acts, closes them. Throws `ERR_LAP_FS_ROOTLESS`, `ERR_LAP_FS_HOST`, `ERR_LAP_FS_WASM`. */
export async function withHostFiles<T>(
  engine: Engine,
  record: ContainerRecord,
  use: (fs: NodeFs) => T | Promise<T>,
): Promise<T> {
  if (record.kind === "wasm") throw noWasmFiles();
  const { state } = engine.status(record);
  if (state === "running" || state === "paused") {
    using files = rootOf(engine, record);
    return await use(filesOf(files));
  }
  // Nobody may start it meanwhile: one upper is mounted once.
  using _lock = lockContainer(engine.dir(record));
  using files = mountedOverlay(engine, record);
  return await use(filesOf(files));
}

function filesOf(dir: DirFs): NodeFs {
  return nodeFs(new DirInodes(dir));
}

function rootOf(engine: Engine, record: ContainerRecord): DirFs {
  const { pid, pidStartTime } = readStatus(engine.dir(record))!;
  const dir = openDirFs(`/proc/${pid}/root`, { live: true });
  // Only after it is open is it certain whose root it is.
  if (startTime(pid) === pidStartTime) return dir;
  dir.close();
  throw new LapError("conflict", "ERR_LAP_NOT_RUNNING", `Container ${record.id} is not running`);
}

function mountedOverlay(engine: Engine, record: ContainerRecord): DirFs {
  if (isRootless()) {
    throw new LapError("failedPrecondition", "ERR_LAP_FS_ROOTLESS", "without root only a running box shows its files", {
      hint: "start the box first, or open the store with memory: true",
    });
  }
  if (record.rootfs.kind === "host") throw onHost();
  const { rootfs } = prepareRootfs(engine.context.paths, record);
  return openOverlayDirFs(rootfs);
}

/** Its upper lies inside its lowest layer, which the kernel takes in a mount namespace of its own only. */
function onHost(): LapError {
  return new LapError(
    "unimplemented",
    "ERR_LAP_FS_HOST",
    "a box of the image `host` shows its files only while it runs",
    {
      hint: "start the box first",
    },
  );
}

function noWasmFiles(): LapError {
  return new LapError("unimplemented", "ERR_LAP_FS_WASM", "the files of a Wasm container are not reachable", {
    hint: "run it in memory: open({ memory: true })",
  });
}
