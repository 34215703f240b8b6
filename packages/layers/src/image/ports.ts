// What the stores need from outside, and where they get it.
import type { ClockPort, CompressionPort, HashPort, Logger, Platform } from "@lapstrake/base";

/** Ports of a store. */
export interface StorePorts {
  readonly hash: HashPort;
  readonly compression: CompressionPort;
  readonly clock: ClockPort;
  readonly logger?: Logger | undefined;
  /** Preferred among the platforms of an index; default linux/amd64. */
  readonly platform?: Platform | undefined;
}
