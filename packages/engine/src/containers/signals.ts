// Signals as containers know them.
export { parseSignal, signalName } from "@lapstrake/core";

/** SIGTERM. */
export const DEFAULT_STOP_SIGNAL = 15;
