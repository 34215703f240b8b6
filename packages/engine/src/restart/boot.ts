// `lap system start`: what a store needs after the machine started. Networks are made again, what the reboot cut off is recorded, and
// containers start that their restart policy starts with the machine.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Engine } from "../engine.ts";
import { containerDir, readRecord, type ContainerRecord } from "../state/record.ts";
import { containerStatus } from "../containers/status.ts";
import { startsAtBoot } from "./policy.ts";
import { hasRestartPolicy, readRestart } from "./state.ts";

/** What became of one container. */
export interface BootResult {
  readonly record: ContainerRecord;
  /** Undefined when it runs. */
  readonly error: unknown;
}

/** Starts what starts with the machine; one that cannot start does not keep others from it. Idempotent. */
export async function startStore(engine: Engine): Promise<BootResult[]> {
  const { context } = engine;
  // Looking settles runs that the reboot ended.
  const found = engine.list();
  if (existsSync(join(context.paths.root, "networks"))) await restoreNetworks(engine);
  const results: BootResult[] = [];
  for (const { record } of found.toReversed()) {
    if (isWanted(engine, record)) results.push({ record, error: await errorOf(engine.start(record)) });
  }
  if (found.length > 0) await (await import("../keeper/wake.ts")).tellKeeper(context);
  return results;
}

async function restoreNetworks(engine: Engine): Promise<void> {
  const { networksOf } = await import("../network/attach.ts");
  const { paths } = engine.context;
  networksOf(engine.context).restore((id) => {
    const record = readRecord(containerDir(paths.containers, id));
    return record !== undefined && ["running", "paused"].includes(containerStatus(paths, record).state);
  });
}

/** What was never started stays so; what waits for its next start is the keeper's. */
function isWanted(engine: Engine, { id }: ContainerRecord): boolean {
  const dir = containerDir(engine.context.paths.containers, id);
  const record = readRecord(dir);
  if (record?.request.restart === undefined || !hasRestartPolicy(record)) return false;
  if (containerStatus(engine.context.paths, record).state !== "exited") return false;
  return startsAtBoot(record.request.restart, readRestart(dir));
}

async function errorOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error;
  }
}
