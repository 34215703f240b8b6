// What makes no sense is kept: it is moved to <root>/damaged, where a person may look at it and copy out what it holds. Nothing
// else ever reads that folder.
import { mkdirSync, renameSync } from "node:fs";
import { basename, join } from "node:path";
import { unmountBeneath } from "@lapstrake/core";
import type { LapError } from "@lapstrake/base";
import { listReadable } from "../state/containers.ts";
import type { StorePaths } from "../state/layout.ts";
import { randomHex } from "../state/random.ts";
import { isDamage } from "../state/read-stored.ts";
import type { ContainerRecord } from "../state/record.ts";
import type { Problem } from "./problem.ts";

/** Moves something of the store to damaged/; what is mounted beneath is unmounted. */
export function setAside(paths: StorePaths, path: string): void {
  const folder = join(paths.root, "damaged");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const target = join(folder, `${basename(path)}-${randomHex(4)}`);
  renameSync(path, target);
  unmountBeneath(folder);
}

/** The finding for something that repair moves to damaged/. */
export function strange(paths: StorePaths, subject: string, what: string): Problem {
  const text = `${what}: repair moves it to ${join(paths.root, "damaged")}`;
  return { kind: "damage", subject, text, repair: () => setAside(paths, subject) };
}

/** The finding for a file that the disk does not give. */
export function unreadable(subject: string, error: LapError): Problem {
  return { kind: "damage", subject, text: `${error.message}: the kernel's log may say why` };
}

/** What `read` gives, or the error that says what is wrong with its file. */
export function readOr<T>(read: () => T): { readonly value: T } | { readonly error: LapError } {
  try {
    return { value: read() };
  } catch (error) {
    if (isDamage(error)) return { error };
    throw error;
  }
}

/** True for one whose content is lost, not only out of reach for the moment. */
export function isLost({ code }: LapError): boolean {
  return code === "ERR_LAP_RECORD_INVALID";
}

/** Containers with readable records, and whether that is all of them: if not, nobody knows what the others need. */
export function knownContainers(paths: StorePaths): { readonly known: ContainerRecord[]; readonly isAll: boolean } {
  let isAll = true;
  const known = listReadable(paths, () => {
    isAll = false;
  });
  return { known, isAll };
}
