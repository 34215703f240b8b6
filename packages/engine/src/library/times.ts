// Dates as the engine's times.
import type { Timespec } from "@lapstrake/base";

export function timespecOf(date: Date): Timespec {
  const ms = date.getTime();
  return { sec: Math.floor(ms / 1000), nsec: (((ms % 1000) + 1000) % 1000) * 1_000_000 };
}
