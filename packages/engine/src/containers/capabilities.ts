// --cap-add, --cap-drop and --privileged over Docker's default set (capabilities(7)), in Docker's words.
import { CAPABILITIES, DEFAULT_CAPABILITIES } from "@lapstrake/core";
import { LapError, type CapabilitiesSpec } from "@lapstrake/base";
import type { CreateRequest } from "./request.ts";

/** What a process that is not root keeps of the effective sets: nothing. */
export const CAPABILITY_FIELDS = { effective: [], permitted: [] } as const;

/** Every capability, for --privileged. */
export function privilegedCapabilities(): CapabilitiesSpec {
  const all = [...CAPABILITIES];
  return { bounding: all, effective: all, permitted: all, inheritable: [], ambient: [] };
}

/** The capability names of a container's process. Throws `ERR_LAP_CAPABILITY_UNKNOWN`. */
export function requestCapabilities(request: CreateRequest): string[] {
  if (request.privileged === true) return [...CAPABILITIES];
  const add = (request.capAdd ?? []).map((name) => checkName(name, "CapAdd"));
  const drop = (request.capDrop ?? []).map((name) => checkName(name, "CapDrop"));
  const base = add.includes("ALL") ? CAPABILITIES : drop.includes("ALL") ? [] : DEFAULT_CAPABILITIES;
  const wanted = new Set([...base, ...add.filter((name) => name !== "ALL")]);
  for (const name of drop) wanted.delete(name);
  return CAPABILITIES.filter((name) => wanted.has(name));
}

function checkName(text: string, field: string): string {
  const upper = text.toUpperCase();
  if (upper === "ALL") return upper;
  const name = upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
  if (CAPABILITIES.includes(name)) return name;
  throw new LapError(
    "invalidArgument",
    "ERR_LAP_CAPABILITY_UNKNOWN",
    `invalid ${field}: unknown capability: "${name}"`,
  );
}
