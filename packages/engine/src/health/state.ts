// health.json in the directory of a container with a health check: made at each start, written by the keeper after each check.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "@lapstrake/base";
import { writeFileAtomic } from "../state/atomic.ts";
import type { ContainerRecord } from "../state/record.ts";

export type HealthStatus = "starting" | "healthy" | "unhealthy";

/** One check. */
export interface HealthCheck {
  /** ISO times. */
  readonly start: string;
  readonly end: string;
  /** Of its program; -1 when it took too long or did not run. */
  readonly exitCode: number;
  readonly output: string;
}

/** How a container is. */
export interface Health {
  readonly status: HealthStatus;
  readonly failingStreak: number;
  /** The last five, oldest first. */
  readonly log: readonly HealthCheck[];
}

export const STARTING: Health = { status: "starting", failingStreak: 0, log: [] };

const FILE = "health.json";

/** Undefined for a container without checks, or one that never started. */
export function readHealth(dir: string): Health | undefined {
  try {
    return JSON.parse(readFileSync(join(dir, FILE), "utf8")) as Health;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    // Half of it, after a crash of the machine: the next check writes it anew.
    if (error instanceof SyntaxError) return STARTING;
    throw error;
  }
}

export function hasHealth(dir: string): boolean {
  return existsSync(join(dir, FILE));
}

export function writeHealth(dir: string, health: Health): void {
  writeFileAtomic(join(dir, FILE), JSON.stringify(health));
}

/** True for a container that is checked while it runs. */
export function isChecked({ health }: ContainerRecord): boolean {
  return health?.Test !== undefined && (health.Test[0] === "CMD" || health.Test[0] === "CMD-SHELL");
}
