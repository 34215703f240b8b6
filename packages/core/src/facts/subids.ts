// The ids that a user without privilege may map into a namespace besides its own: /etc/subuid, /etc/subgid (subuid(5)).
import type { IdMapSpec } from "@lapstrake/base";

/** A user as the files name it. */
export interface SubidUser {
  readonly name: string;
  /** Id outside: the user's own, which becomes 0. */
  readonly id: number;
  /** The uid, by which either file may name the user instead. */
  readonly uid: number;
}

/** The user's id as 0 and its ranges from 1 on, in the file's order; undefined without a range. */
export function subidMap(text: string, user: SubidUser): IdMapSpec[] | undefined {
  const map: IdMapSpec[] = [{ containerID: 0, hostID: user.id, size: 1 }];
  let next = 1;
  for (const line of text.split("\n")) {
    const [owner, start, count] = line.split(":");
    if (owner !== user.name && owner !== String(user.uid)) continue;
    const [hostID, size] = [Number(start), Number(count)];
    if (!Number.isSafeInteger(hostID) || !Number.isSafeInteger(size) || size < 1) continue;
    map.push({ containerID: next, hostID, size });
    next += size;
  }
  return map.length === 1 ? undefined : map;
}

/** Id maps of a namespace as /proc/PID/uid_map shows them. */
export function parseIdMap(text: string): IdMapSpec[] {
  return [...text.matchAll(/^\s*(\d+)\s+(\d+)\s+(\d+)$/gm)].map(([, inside, outside, size]) => ({
    containerID: Number(inside),
    hostID: Number(outside),
    size: Number(size),
  }));
}
