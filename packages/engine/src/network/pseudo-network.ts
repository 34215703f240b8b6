// The two networks that are always there and are no devices: `host` and `none`. Light: every start that joins one says so.
import type { EventSink } from "../events/emit.ts";
import { networkMode } from "./mode.ts";
import { emitNetwork } from "./network-events.ts";

/** One of them, as listings and events name it. */
export interface PseudoNetwork {
  /** The store's own: 64 hexadecimal digits. */
  readonly id: string;
  readonly name: "host" | "none";
  readonly driver: "host" | "null";
}

/** By name, in the store at `root`. */
export function pseudoNetwork(root: string, name: PseudoNetwork["name"]): PseudoNetwork {
  const id = Array.from({ length: 8 }, (_, part) => fnv1a(`${part} ${root} ${name}`)).join("");
  return { id, name, driver: name === "host" ? "host" : "null" };
}

/** 8 hexadecimal digits. Nobody gains by a collision here, and node:crypto would cost every start 4 ms to load. */
function fnv1a(text: string): string {
  let hash = 0x81_1c_9d_c5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01_00_01_93);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

interface OnNetwork {
  readonly id: string;
  readonly networks?: object;
  readonly request: { readonly network?: string };
}

/** Says that a container joined or left one; others' containers say it elsewhere. */
export function emitPseudoNetwork(sink: EventSink, record: OnNetwork, action: "connect" | "disconnect"): void {
  const { kind } = networkMode(record.request.network);
  if (record.networks !== undefined || (kind !== "host" && kind !== "none")) return;
  emitNetwork(sink, pseudoNetwork(sink.paths.root, kind), action, record.id);
}
