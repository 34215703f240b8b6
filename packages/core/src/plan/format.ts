import type { LaunchPlan } from "./types.ts";
export function formatPlan(plan: LaunchPlan): string {
  throw new Error("being written");
}
