// `-v FOLDER:/x:idmap`: the owner of the folder shows as the container's user, and what that user makes belongs to the folder's
// owner (mount_setattr(2), "ID-mapped mounts"). The two ids change places, every other one stays, so that nothing is left without one.
import { statSync } from "node:fs";
import type { IdMapSpec, MountSpec, UserSpec } from "@lapstrake/base";

/** The largest id; 2^32 - 1 means "no change". */
const MAX_ID = 2 ** 32 - 2;

/** The mount with its map; another mount, or one whose owner is the user already, stays as it is without the word. */
export function mapOwner(mount: MountSpec, user: UserSpec): MountSpec {
  const { options = [], source } = mount;
  if (source === undefined || !options.includes("idmap")) return mount;
  const { uid, gid } = statSync(source);
  const uidMappings = swapIds(uid, user.uid ?? 0);
  const gidMappings = swapIds(gid, user.gid ?? 0);
  const plain = { ...mount, options: options.filter((word) => word !== "idmap") };
  const isSame = uidMappings.length === 1 && gidMappings.length === 1;
  return isSame ? plain : { ...mount, uidMappings, gidMappings };
}

/** All ids, `one` and `other` exchanged. */
export function swapIds(one: number, other: number): IdMapSpec[] {
  const [low, high] = one < other ? [one, other] : [other, one];
  const range = (containerID: number, hostID: number, size: number): IdMapSpec[] =>
    size > 0 ? [{ containerID, hostID, size }] : [];
  if (low === high) return range(0, 0, MAX_ID + 1);
  return [
    ...range(0, 0, low),
    ...range(low, high, 1),
    ...range(low + 1, low + 1, high - low - 1),
    ...range(high, low, 1),
    ...range(high + 1, high + 1, MAX_ID - high),
  ];
}
