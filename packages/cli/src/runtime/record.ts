// ROOT/ID/record: what the launcher needs to answer state, start, kill, delete, pause and resume without Node.
// native/src/record.h reads the same order.
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RuntimeSpec } from "@lapstrake/base";
import { PlanWriter, type LaunchPlan } from "@lapstrake/core";
import { sharesPids, stateOf, type Kept } from "./state.ts";

const MAGIC = 0x5250414c;
const VERSION = 1;
const SLOW_START = 1;
const SLOW_DELETE = 2;
const SHARED_PIDS = 4;

// A hook to run, mounts to take away, a missing process: Node's work.
function flagsOf(spec: RuntimeSpec): number {
  const startsSlowly = (spec.hooks?.poststart?.length ?? 0) > 0 || spec.process === undefined;
  const hasMounts = (spec.linux?.namespaces ?? []).some(({ type }) => type === "mount");
  const deletesSlowly = (spec.hooks?.poststop?.length ?? 0) > 0 || !hasMounts;
  return (startsSlowly ? SLOW_START : 0) | (deletesSlowly ? SLOW_DELETE : 0) | (sharesPids(spec) ? SHARED_PIDS : 0);
}

// The state document in two halves, the status and the pid go between them.
function halves(kept: Kept): [head: string, tail: string] {
  const { ociVersion, id, bundle, annotations } = stateOf(kept, "stopped");
  const head = JSON.stringify({ ociVersion, id }).slice(0, -1);
  const tail = JSON.stringify({ bundle, annotations, created: kept.created, owner: "" }).slice(1);
  return [head, tail];
}

/** Writes the record by tmp and rename. */
export function writeRecord(dir: string, kept: Kept, spec: RuntimeSpec, plan: LaunchPlan): void {
  const out = new PlanWriter();
  const [head, tail] = halves(kept);
  out.u32(MAGIC);
  out.u32(VERSION);
  out.u32(flagsOf(spec));
  out.u32(kept.pid);
  out.u64(kept.pidStartTime);
  out.str(head);
  out.str(tail);
  out.str(kept.freezerFile);
  const cgroups = plan.cgroups.v1.map(({ path }) => path);
  out.strs(plan.cgroups.v2 === undefined ? cgroups : [plan.cgroups.v2, ...cgroups]);
  const file = join(dir, "record");
  writeFileSync(`${file}.tmp`, out.finish());
  renameSync(`${file}.tmp`, file);
}
