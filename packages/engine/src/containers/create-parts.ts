// Second phase of a creation: what few containers have (mounts, networks, health checks, secrets, another runtime). Each part is loaded by
// those alone who ask for it; the plain start pays for none.
import { LapError, type ExecConfig } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import { networkMode } from "../network/mode.ts";
import type { ResolvedNetworks } from "../network/resolve.ts";
import { asksNetwork } from "../sandbox/wasm-network.ts";
import type { ContainerRecord } from "../state/record.ts";
import type { PreparedMounts } from "../volumes/prepare.ts";
import type { CreateRequest } from "./request.ts";
import { storeDriver } from "../sandbox/storage-driver.ts";
import type { StorePaths } from "../state/layout.ts";
import type { Source } from "./source.ts";

type Copy = (paths: StorePaths, record: ContainerRecord, dir: string) => void;

/** What is to be mounted besides the engine's own; only those that ask for it need the code. */
export async function prepareMounts(
  context: EngineContext,
  request: CreateRequest,
  source: Source,
): Promise<PreparedMounts | undefined> {
  const { binds, mounts, tmpfs, volumesFrom } = request;
  const asked = binds ?? mounts ?? tmpfs ?? volumesFrom ?? source.config.Volumes ?? undefined;
  if (asked === undefined) return undefined;
  return (await import("../volumes/prepare.ts")).prepareMounts(context, request, source);
}

/** Whether its root is to be a copy, and what makes it. */
export async function storageOf(
  { paths, storageDriver }: EngineContext,
  request: CreateRequest,
  { kind, rootfs }: Source,
): Promise<Copy | undefined> {
  if (kind !== "linux" || storeDriver(paths, storageDriver) !== "vfs") return undefined;
  // The machine itself is not copied because its store cannot have overlays.
  if (rootfs.kind === "host" && storageDriver === undefined) return undefined;
  const { checkCopied, copyImage } = await import("../sandbox/vfs.ts");
  checkCopied({ rootfs, request });
  return copyImage;
}

/** Secrets of a guest, to be written where its container is made. */
export async function readSecrets(request: CreateRequest): Promise<((dir: string) => void) | undefined> {
  if (request.guestHttp === undefined) return undefined;
  return (await import("../sandbox/wasm-secrets.ts")).readSecrets(request);
}

/** Only who names one needs to look for it. */
export async function runtimeOf(
  { runtime }: CreateRequest,
  { kind }: Source,
): Promise<Pick<ContainerRecord, "runtime">> {
  if (runtime === undefined) return {};
  const found = (await import("../sandbox/other-runtime.ts")).findRuntime(runtime);
  if (found === undefined) return {};
  if (kind === "linux") return { runtime: found };
  throw new LapError("invalidArgument", "ERR_LAP_RUNTIME", `the runtime "${runtime}" does not run Wasm images`, {
    hint: "leave --runtime away: the Wasm sandbox is chosen by the image's platform",
  });
}

/** Only what has checks keeps more than that it has none. */
export async function healthOf(
  request: CreateRequest,
  image: ExecConfig,
): Promise<Pick<ContainerRecord, "health" | "shell">> {
  if (image.Healthcheck === undefined && request.health === undefined) return {};
  const health = (await import("../health/config.ts")).mergeHealth(image.Healthcheck, request.health)!;
  return { health, ...(image.Shell === undefined ? {} : { shell: image.Shell }) };
}

/** The networks a request names; only those need the network's code. */
export async function resolveNetworks(
  context: EngineContext,
  request: CreateRequest,
  kind: ContainerRecord["kind"],
): Promise<ResolvedNetworks> {
  const mode = networkMode(request.network).kind;
  // A guest is on no network unless something is asked of one.
  if (kind === "wasm" && !asksNetwork(request)) return {};
  if (mode === "none" || mode === "host") {
    const publishes = (request.ports ?? []).length > 0 || request.publishAll === true;
    if (publishes) context.logger.warn(`Published ports are discarded when using ${mode} network mode`);
    return {};
  }
  return (await import("../network/resolve.ts")).resolveNetworks(context, request);
}
