// The desired state of the host's side of networking, as plain data: what the reconciler makes true in nf_tables.

/** One bridge network as the firewall sees it. */
export interface FirewallNetwork {
  /** The owner, kept as comment of its elements. */
  readonly id: string;
  readonly bridge: string;
  /** No way out and no way in, but between its own members and the host. */
  readonly internal: boolean;
  /** Hide its members behind the host's address on the way out. */
  readonly masquerade: boolean;
}

/** A transport protocol that ports can be published of. */
export type Protocol = "tcp" | "udp" | "sctp";

/** One published port. */
export interface PublishedPort {
  /** The endpoint it belongs to, kept as comment; taking it down goes by this. */
  readonly owner: string;
  readonly protocol: Protocol;
  /** Address of the host: one of its own, or `0.0.0.0` / `::` for any of that family. */
  readonly hostIp: string;
  /** 1–65535. */
  readonly hostPort: number;
  /** The container's address, of the same family. */
  readonly address: string;
  /** 1–65535. */
  readonly port: number;
}

/**
 * What happens to a connection from outside to a published port: `respect` lets the host's own input chains judge it first, as if a program
 * of the host were listening (ADR 0030); `bypass` translates it before them, as docker does.
 */
export type InputPolicy = "respect" | "bypass";

/** Everything the firewall should hold. */
export interface FirewallState {
  readonly networks: readonly FirewallNetwork[];
  readonly ports: readonly PublishedPort[];
}
