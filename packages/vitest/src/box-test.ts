// `test` with a box: vitest's own, extended by two fixtures. The origin is the worker's, the box the test's.
import { test as plain, type TestAPI } from "vitest";
import { open, type Box } from "@lapstrake/engine";
import { originOf, type Origin } from "./origin.ts";
import type { Preparation } from "./preparation.ts";

/** What a test is given. */
export interface BoxFixtures {
  /** This test's own fork of the prepared container; gone after the test. */
  readonly box: Box;
}

let count = 0;

/** A `test` whose tests each get a fork of one container, prepared once per run. */
export function boxTest(preparation: Preparation): TestAPI<BoxFixtures> {
  const extended = plain
    // Vitest reads the names of what a fixture needs from its parameter: none here.
    // oxlint-disable-next-line no-empty-pattern
    .extend("boxOrigin", { scope: "worker" }, async ({}, { onCleanup }): Promise<Origin> => {
      const { root, memory } = preparation;
      const store = await open({
        ...(root === undefined ? {} : { root }),
        ...(memory === undefined ? {} : { memory }),
      });
      onCleanup(() => store[Symbol.asyncDispose]());
      return originOf(store, preparation);
    })
    .extend("box", async ({ boxOrigin }, { onCleanup }): Promise<Box> => {
      const box = await boxOrigin.fork(forkName());
      onCleanup(() => box[Symbol.asyncDispose]());
      return box;
    });
  return extended as unknown as TestAPI<BoxFixtures>;
}

/** Tells whose it is: the worker and the number of the test in it. */
function forkName(): string {
  return `vitest-w${process.env["VITEST_POOL_ID"] ?? "0"}-${process.pid}-${++count}`;
}
