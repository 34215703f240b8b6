import type { LaunchPlan } from "./types.ts";
export function encodePlan(plan: LaunchPlan): Uint8Array {
  throw new Error("being written");
}
