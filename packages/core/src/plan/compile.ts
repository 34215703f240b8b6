import type { Bundle, LaunchOptions } from "../launch/types.ts";
import type { HostFacts } from "../facts/types.ts";
import type { LaunchPlan } from "./types.ts";
export function compile(bundle: Bundle, facts: HostFacts, options: LaunchOptions): LaunchPlan {
  throw new Error("being written");
}
