// What a start adds to the plain bundle; only containers that have some of it load the code.
import type { MountSpec, RuntimeSpec } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import type { ContainerRecord } from "../state/record.ts";
import { hasExtras } from "./has-extras.ts";

type SpecChange = ((spec: RuntimeSpec) => RuntimeSpec) | undefined;

/** Limits, devices and sharing beyond the plain ones, and the init. */
export async function specExtras(context: EngineContext, record: ContainerRecord): Promise<SpecChange> {
  const { request } = record;
  const init = request.init === true ? (await import("./init.ts")).withInit : undefined;
  if (!hasExtras(request)) return init;
  const { withExtras } = await import("./extras.ts");
  return (spec) => withExtras(context, record, init === undefined ? spec : init(spec));
}

/** Volumes, folders of the machine and tmpfs. */
export async function askedMounts(context: EngineContext, { mounts }: ContainerRecord): Promise<readonly MountSpec[]> {
  return mounts === undefined ? [] : (await import("../volumes/mount-specs.ts")).mountSpecs(context.paths, mounts);
}
