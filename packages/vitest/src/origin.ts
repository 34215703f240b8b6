// The prepared container of a test run. Whoever comes first claims its name, prepares, and publishes the result as a stopped container
// that the run's main process holds: workers come and go, and what they share goes with the run, however that ends.
import { setTimeout as sleep } from "node:timers/promises";
import { isMainThread } from "node:worker_threads";
import { isLapError } from "@lapstrake/base";
import { forkContainer, removeAfter, type Box, type Engine, type Store } from "@lapstrake/engine";
import { keyOf, type Preparation } from "./preparation.ts";

const POLL_MS = 20;

/** What is forked for each test. */
export interface Origin {
  fork(name: string): Promise<Box>;
}

/** The prepared container; made now, or by another worker. */
export function originOf(store: Store, preparation: Preparation): Promise<Origin> {
  return store.engine === undefined ? inMemory(store, preparation) : shared(store, store.engine, preparation);
}

async function inMemory(store: Store, { image, options, prepare }: Preparation): Promise<Origin> {
  const box = await store.box(image, options ?? {});
  await prepare?.(box);
  return { fork: (name) => box.fork({ name }) };
}

async function shared(store: Store, engine: Engine, preparation: Preparation): Promise<Origin> {
  const pid = mainPid();
  const name = `vitest-${keyOf(preparation)}-${pid}`;
  for (;;) {
    const known = find(store, name);
    if (known !== undefined) return forking(known, preparation);
    await prepareOnce(store, engine, preparation, name, pid);
  }
}

/** The process that a run's workers have in common: they are its children, or threads of it. */
function mainPid(): number {
  return isMainThread ? process.ppid : process.pid;
}

function find(store: Store, name: string): Box | undefined {
  try {
    return store.get(name);
  } catch (error) {
    if (isLapError(error, "notFound")) return undefined;
    throw error;
  }
}

/** Does nothing but wait a little when another worker is at it; if that one dies, its claim goes with it. */
async function prepareOnce(
  store: Store,
  engine: Engine,
  { image, options, prepare }: Preparation,
  name: string,
  pid: number,
): Promise<void> {
  let box: Box;
  try {
    box = await store.box(image, { ...options, name: `${name}-claim` });
  } catch (error) {
    if (!isLapError(error) || error.code !== "ERR_LAP_NAME_TAKEN") throw error;
    await sleep(POLL_MS);
    return;
  }
  await using claim = box;
  // The one before may have published between our look and our claim.
  if (find(store, name) !== undefined) return;
  await prepare?.(claim);
  await claim.stop();
  const { record } = await forkContainer(engine, engine.find(claim.id), { name, held: pid });
  removeAfter(engine, record, pid);
}

function forking(origin: Box, { options }: Preparation): Origin {
  return {
    async fork(name) {
      const fork = await origin.fork({ name, start: options?.start ?? true });
      try {
        if (options?.waitFor !== undefined) await fork.waitFor(options.waitFor);
        return fork;
      } catch (error) {
        await fork[Symbol.asyncDispose]();
        throw error;
      }
    },
  };
}
