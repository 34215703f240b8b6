// SIGKILL at any moment of a pull or push: the image is absent or whole on either side, and the next try succeeds.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { digestHex } from "@lapstrake/base";
import type { ImageStore } from "@lapstrake/layers";
import { expect, test } from "vitest";
import { needs } from "../support/facts.ts";
import { addImage, testClient, testStore } from "./layers-registry-fixtures.ts";
import { startPeer } from "./layers-registry-peer.ts";

const KILLS = 8;

/** Runs the child; kills it `afterMs` from its start (undefined: never). Returns how long it ran, ms. */
async function run(verb: string, folder: string, reference: string, afterMs?: number): Promise<number> {
  const file = join(import.meta.dirname, "layers-registry-child.ts");
  const args = ["--conditions=@lapstrake/source", file, verb, folder, reference];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  await new Promise((resolve) => child.stdout.once("data", resolve));
  const began = performance.now();
  if (afterMs !== undefined) {
    await sleep(afterMs);
    child.kill("SIGKILL");
  }
  const status = await ended;
  if (afterMs === undefined) expect(status).toBe(0);
  return performance.now() - began;
}

/** Waste is allowed after a kill, damage is not. */
async function expectSound(store: ImageStore): Promise<void> {
  for (const { digest } of store.blobs.list()) expect(() => store.blobs.read(digest, 1e9)).not.toThrow();
  const problems = (await store.check()).filter(({ kind }) => kind !== "unreferenced" && kind !== "leftover");
  expect(problems).toEqual([]);
}

needs("command:docker-registry").describe("killed", () => {
  test("pull", async () => {
    await using registry = await startPeer();
    using from = testStore();
    using client = testClient();
    const name = `${registry.host}/app:1`;
    const image = await addImage(from.store, name, [3_000_000, 2_000_000, 1_000_000]);
    await client.client.push(from.store, name);
    using timed = testStore();
    const wholeMs = await run("pull", timed.folder, name);
    using target = testStore();
    for (let kill = 0; kill < KILLS; kill++) {
      await run("pull", target.folder, name, (wholeMs * kill) / KILLS);
      await expectSound(target.store);
      for (const { id } of target.store.list()) {
        // killed between the image and its name, it is whole without one
        expect(target.store.resolve(digestHex(id)).layers).toEqual(image.layers);
        target.store.remove(digestHex(id), { force: true });
      }
    }
    await run("pull", target.folder, name);
    expect(target.store.resolve(name).id).toBe(image.id);
  });

  test("push", async () => {
    await using registry = await startPeer();
    using from = testStore();
    using client = testClient();
    const timedName = `${registry.host}/timed:1`;
    const image = await addImage(from.store, timedName, [1_000_000, 500_000]);
    const wholeMs = await run("push", from.folder, timedName);
    const name = `${registry.host}/app:1`;
    from.store.tag(timedName, name);
    from.store.remove(timedName); // or its blobs would be mounted
    for (let kill = 0; kill < KILLS; kill++) {
      await run("push", from.folder, name, (wholeMs * kill) / KILLS);
      if ((await client.client.resolve(name)) === undefined) continue;
      using to = testStore();
      expect((await client.client.pull(to.store, name)).id).toBe(image.id);
      await client.client.delete(name);
    }
    await run("push", from.folder, name);
    using to = testStore();
    expect((await client.client.pull(to.store, name)).id).toBe(image.id);
  });
});
