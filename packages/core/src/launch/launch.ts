import type { LaunchPlan } from "../plan/types.ts";
import type { Launched } from "./types.ts";
export function launch(plan: LaunchPlan, options?: { readonly signal?: AbortSignal }): Promise<Launched> {
  throw new Error("being written");
}
