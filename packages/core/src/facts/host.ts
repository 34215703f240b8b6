import type { HostFacts } from "./types.ts";
export function hostFacts(): HostFacts {
  throw new Error("being written");
}
