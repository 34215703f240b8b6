// Whether a container has volumes of its own: asked at every removal, so it needs nothing else.
import type { ContainerRecord } from "../state/record.ts";

/** True when volumes go with the container. */
export function ownsVolumes({ mounts = [] }: ContainerRecord): boolean {
  return mounts.some(({ type, anonymous }) => type === "volume" && anonymous === true);
}
