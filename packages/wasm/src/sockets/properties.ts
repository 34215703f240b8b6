// What a guest can set on a socket, and reads again. Keep-alive is applied; hop limits of TCP, buffer sizes, and how often keep-alive
// probes are repeated are remembered only: Node has no call for them.

/** The values of one socket; times in nanoseconds. */
export interface Properties {
  backlog: bigint;
  keepAlive: boolean;
  idleNs: bigint;
  intervalNs: bigint;
  probes: number;
  hopLimit: number;
  receiveBytes: bigint;
  sendBytes: bigint;
}

/** Linux' defaults. */
export function defaultProperties(): Properties {
  return {
    backlog: 128n,
    keepAlive: false,
    idleNs: 7_200_000_000_000n,
    intervalNs: 75_000_000_000n,
    probes: 9,
    hopLimit: 64,
    receiveBytes: 131_072n,
    sendBytes: 131_072n,
  };
}
