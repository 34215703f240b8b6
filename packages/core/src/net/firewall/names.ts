// Names of what we own in the host's network namespace: one table per family, and the device pair of re-injection (ADR 0030).

/** Our table, in families ip and ip6. */
export const TABLE = "lapstrake";
/** Copies of accepted packets leave here … */
export const REINJECT_OUT = "lap-reinject0";
/** … and come back in here, to be translated. */
export const REINJECT_IN = "lap-reinject1";
/** Next hop of the copies; nobody answers at it, the pair does not ask (no ARP). */
export const REINJECT_HOP = { ip: "169.254.254.254", ip6: "fe80::1:1" } as const;
/** Address of the end they come back in at. */
export const REINJECT_ADDRESS = "169.254.254.253/32";
/** Both ends have this MAC, so that without ARP the frame is for the other end. */
export const REINJECT_MAC = "02:4c:41:50:00:01";
