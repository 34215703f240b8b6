// Namespaces of the spec: which are new (clone flags), which are joined (setns), config-linux.md "Namespaces".
import { LapError, type NamespaceSpec } from "@lapstrake/base";
import * as flag from "../sys/flags.ts";
import type { PlanOp } from "./types.ts";

type NamespaceType = NamespaceSpec["type"];

/** Clone flag of each namespace type. */
export const CLONE_FLAG: Readonly<Record<NamespaceType, number>> = {
  pid: flag.CLONE_NEWPID,
  network: flag.CLONE_NEWNET,
  mount: flag.CLONE_NEWNS,
  ipc: flag.CLONE_NEWIPC,
  uts: flag.CLONE_NEWUTS,
  user: flag.CLONE_NEWUSER,
  cgroup: flag.CLONE_NEWCGROUP,
  time: flag.CLONE_NEWTIME,
};

// Joined in this order, mount last because paths change. The user and pid namespaces are joined before the clone, so that new
// namespaces belong to them.
const JOIN_ORDER: readonly NamespaceType[] = ["network", "ipc", "uts", "cgroup", "time", "mount"];

/** The namespaces of a container. */
export interface NamespacePlan {
  readonly isNew: ReadonlySet<NamespaceType>;
  readonly joined: ReadonlyMap<NamespaceType, string>;
  readonly cloneFlags: number;
  readonly joinOps: readonly PlanOp[];
}

function invalid(why: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_SPEC_INVALID", `linux.namespaces: ${why}`);
}

function flagsOf(types: Iterable<NamespaceType>): number {
  let flags = 0;
  for (const type of types) flags |= CLONE_FLAG[type];
  return flags >>> 0;
}

/** Sorts the list; throws `ERR_LAP_SPEC_INVALID` for unknown or repeated types and relative paths. */
export function planNamespaces(list: readonly NamespaceSpec[]): NamespacePlan {
  const isNew = new Set<NamespaceType>();
  const joined = new Map<NamespaceType, string>();
  for (const { type, path } of list) {
    if (!Object.hasOwn(CLONE_FLAG, type)) throw invalid(`unknown type "${String(type)}"`);
    if (isNew.has(type) || joined.has(type)) throw invalid(`type "${type}" is listed twice`);
    if (path === undefined || path === "") isNew.add(type);
    else if (path.startsWith("/")) joined.set(type, path);
    else throw invalid(`path "${path}" is not absolute`);
  }
  const joinOps = JOIN_ORDER.filter((type) => joined.has(type)).map((type): PlanOp => ({
    op: "setns",
    type: CLONE_FLAG[type],
    path: joined.get(type)!,
  }));
  return { isNew, joined, cloneFlags: flagsOf(isNew), joinOps };
}
