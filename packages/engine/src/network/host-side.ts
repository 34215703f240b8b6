// The machine's side of networks: bridges, what the firewall knows of them, and what they changed on the machine. Whoever calls holds the
// store's network lock; other stores do the same beside it, so everything here is safe against them.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { LapError, errorCode } from "@lapstrake/base";
import {
  checkParent,
  createBridgeNetwork,
  Firewall,
  ownedBridges,
  removeBridgeNetwork,
  Rtnl,
  undoForwarding,
  type ForwardingChange,
  type InputPolicy,
} from "@lapstrake/core";
import { writeFileAtomic } from "../state/atomic.ts";
import {
  desiredFirewall,
  firewallNetwork,
  isBridge,
  machineAddressesOf,
  networkFile,
  type NetworkRecord,
} from "./network-record.ts";

/** In the folder of the networks: the sysctls of the machine that were changed, with what they were. */
const FORWARDING_FILE = "forwarding";

/** What of the machine a new network must not collide with. */
export interface HostNames {
  readonly devices: readonly string[];
  readonly subnets: readonly string[];
}

/** Bridges and firewall of the store at `root`, in the network namespace `netns` (default the caller's). */
export class HostSide {
  readonly #root: string;
  readonly #netns: number | undefined;
  readonly #input: InputPolicy;

  constructor(root: string, netns: number | undefined, input: InputPolicy) {
    this.#root = root;
    this.#netns = netns;
    this.#input = input;
  }

  kernel(): { readonly netns?: number } {
    return this.#netns === undefined ? {} : { netns: this.#netns };
  }

  firewall(): Firewall {
    return new Firewall({ ...this.kernel(), input: this.#input });
  }

  /** True when the network's bridge is there. */
  isRaised({ id, bridge }: NetworkRecord): boolean {
    using rtnl = new Rtnl(this.kernel());
    return rtnl.findLink(bridge)?.alias.split(" ")[0] === `lapstrake:${id}`;
  }

  /** The network's bridge alone; idempotent. */
  bridge(record: NetworkRecord): void {
    const { id, bridge, internal, mtu } = record;
    const spec = { id, home: this.#root, bridge, internal, gateways: machineAddressesOf(record) };
    const onForwarding = (changes: readonly ForwardingChange[]): void => this.#remember(changes);
    createBridgeNetwork({ ...spec, ...(mtu === undefined ? {} : { mtu }) }, { ...this.kernel(), onForwarding });
  }

  /** What a network needs on the machine: bridge and firewall, or the device beneath; idempotent. `all` are the networks of the store: somebody may have emptied the whole firewall. */
  raise(record: NetworkRecord, all: () => readonly NetworkRecord[]): void {
    if (!isBridge(record)) {
      checkParent(record.parent ?? "", this.kernel());
      return;
    }
    this.bridge(record);
    using firewall = this.firewall();
    if (this.#ensure(firewall, record)) firewall.mend(desiredFirewall(all()));
  }

  /** The bridge carries this network's name by now: who else the firewall knows under that device is gone, with its store or by a crash. */
  #ensure(firewall: Firewall, record: NetworkRecord): boolean {
    try {
      return firewall.ensureNetwork(firewallNetwork(record));
    } catch (error) {
      const owner = staleOwner(error);
      if (owner === undefined || owner === record.id) throw error;
      firewall.removeOwned(owner);
      return firewall.ensureNetwork(firewallNetwork(record));
    }
  }

  lower(record: Pick<NetworkRecord, "id" | "bridge" | "driver">): void {
    if (!isBridge(record)) return;
    using firewall = this.firewall();
    firewall.removeOwned(record.id);
    removeBridgeNetwork(record, this.kernel());
  }

  /** What is taken, after bridges went away that nobody uses and whose records are gone with their store. */
  taken(): HostNames {
    this.#sweep();
    using rtnl = new Rtnl(this.kernel());
    return {
      devices: rtnl.links().map(({ name }) => name),
      subnets: rtnl.routes().map(({ destination }) => destination),
    };
  }

  /** When no bridge of anybody's is left: our firewall tables go, and the machine forwards as before. */
  leave(): void {
    const isNeeded = (): boolean => ownedBridges(this.kernel()).length > 0;
    if (isNeeded()) return;
    using firewall = this.firewall();
    firewall.remove(isNeeded);
    undoForwarding(this.#changes(), this.#netns);
    rmSync(this.#forwardingFile(), { force: true });
  }

  // One that is mistaken for orphaned, because its store is out of sight here, is made again by whoever needs it.
  #sweep(): void {
    for (const { id, home, bridge, isUsed } of ownedBridges(this.kernel())) {
      if (isUsed || home === undefined || existsSync(networkFile(home, id))) continue;
      this.lower({ id, bridge });
    }
  }

  #forwardingFile(): string {
    return join(this.#root, "networks", FORWARDING_FILE);
  }

  /** What a sysctl was before the first change counts. */
  #remember(changes: readonly ForwardingChange[]): void {
    const known = this.#changes();
    const fresh = changes.filter(({ sysctl }) => !known.some((each) => each.sysctl === sysctl));
    writeFileAtomic(this.#forwardingFile(), `${JSON.stringify([...known, ...fresh])}\n`, { durable: false });
  }

  #changes(): ForwardingChange[] {
    try {
      return JSON.parse(readFileSync(this.#forwardingFile(), "utf8")) as ForwardingChange[];
    } catch (error) {
      if (errorCode(error) === "ENOENT") return [];
      throw error;
    }
  }
}

function staleOwner(error: unknown): string | undefined {
  if (!(error instanceof LapError) || error.code !== "ERR_LAP_BRIDGE_TAKEN") return undefined;
  const owner = error.detail?.["owner"];
  return typeof owner === "string" ? owner : undefined;
}
