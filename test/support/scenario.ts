// One thing done to a store, for the tests that break it off (scenarios.ts), and what the scenarios are written with.
import { expect } from "vitest";
import type { LapStore } from "./lap.ts";
import { soon } from "./until.ts";

/** One command, what it needs before, and what is true once it has been done. */
export interface Scenario {
  readonly name: string;
  /** Words after `lap`, where FOLDER is the store's; or a line for sh in which `lap` is the command. */
  readonly command: readonly string[] | string;
  /** Makes the state that the command starts from, whatever is there. */
  readonly before: (store: LapStore) => void;
  /** After the retry; throws when the work is not done. */
  readonly after: (store: LapStore) => void | Promise<void>;
  /** A retry may find that the killed command had got that far. */
  readonly done?: RegExp;
  /** For some seconds the dead command's container may still be about to start. */
  readonly waits?: boolean;
}

/** Runs, whatever comes of it. */
export const run = (store: LapStore, ...args: readonly string[]): number | null => store.run(args).code;

/** Removes the containers of all scenarios. */
export const gone = (store: LapStore): void => void run(store, "rm", "-f", "cc", "dd");

/** Its state and exit code, as `running 0`. */
export const state = (store: LapStore, name: string): string =>
  store.ok("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", name);

/** Waits for the state. */
export const reaches = (store: LapStore, wanted: string): Promise<void> =>
  soon(() => expect(state(store, "cc")).toBe(wanted));

/** `cc` runs, with what `run` was told. */
export function running(...options: readonly string[]): (store: LapStore) => void {
  return (store) => {
    gone(store);
    store.ok("run", "-d", "--name", "cc", ...options, "progs:1", "sleep", "100");
  };
}

/** `cc` was created. */
export function created(...program: readonly string[]): (store: LapStore) => void {
  return (store) => {
    gone(store);
    store.ok("create", "--name", "cc", "progs:1", ...program);
  };
}
