// The devices that every container has: config-linux.md "Default Devices". One table for the nodes in /dev, the rules of cgroups
// and the default spec.

/** The nodes of /dev, character devices all. */
export const DEFAULT_NODES: readonly (readonly [name: string, major: number, minor: number])[] = [
  ["null", 1, 3],
  ["zero", 1, 5],
  ["full", 1, 7],
  ["random", 1, 8],
  ["urandom", 1, 9],
  ["tty", 5, 0],
];

/** What may be used: the nodes, the console, ptmx, and every terminal of devpts (no minor: any). */
export const USABLE_DEVICES: readonly (readonly [major: number, minor?: number])[] = [
  ...DEFAULT_NODES.map(([, major, minor]) => [major, minor] as const),
  [5, 1],
  [5, 2],
  [136],
];
