// What the 0.2 host knows of its guest.
import type { InodeFs } from "@lapstrake/layers";
import type { GuestClock } from "../io/clock.ts";
import type { GuestInput, GuestOutput } from "../io/ports.ts";
import type { Interrupt } from "../run/interrupt.ts";
import type { PreopenDir } from "../run/preopens.ts";

/** One running component. */
export interface ComponentHost {
  readonly fs: InodeFs;
  readonly preopens: readonly PreopenDir[];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stdin: GuestInput;
  readonly stdout: GuestOutput;
  readonly stderr: GuestOutput;
  readonly clock: GuestClock;
  readonly interrupt: Interrupt;
}

/** An import object: functions and resource classes by their JavaScript names. */
export type Interface = Readonly<Record<string, unknown>>;
