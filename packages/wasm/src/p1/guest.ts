// What the host knows of one guest while it runs: the state that every group of host calls works on.
import type { ByteString } from "@lapstrake/base";
import type { InodeFs } from "@lapstrake/layers";
import type { DescriptorTable } from "./descriptors.ts";
import type { GuestMemory } from "./memory.ts";
import type { GuestClock } from "../io/clock.ts";
import type { Interrupt } from "../run/interrupt.ts";
import type { Layouts } from "./layouts.ts";

/** One running guest. */
export interface Guest {
  readonly fs: InodeFs;
  readonly fds: DescriptorTable;
  readonly memory: GuestMemory;
  readonly args: readonly ByteString[];
  /** `NAME=value` strings. */
  readonly env: readonly ByteString[];
  readonly clock: GuestClock;
  readonly interrupt: Interrupt;
  readonly layouts: Layouts;
  /** Fills with unpredictable bytes. */
  random(into: Uint8Array): void;
}

/** A group of host functions by their import name; they return a WASI errno. */
export type HostFunctions = Record<string, (...args: never[]) => number>;
