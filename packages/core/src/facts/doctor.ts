import type { HostFact } from "./types.ts";
export function doctorFacts(): HostFact[] {
  throw new Error("being written");
}
