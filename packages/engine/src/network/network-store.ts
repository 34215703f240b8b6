// The networks of a store: records beneath <root>/networks, one lock for all of them (addresses and bridges are chosen among all).
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { LapError } from "@lapstrake/base";
import { lockFile, parsePrefix, prefixesOverlap, type Pool } from "@lapstrake/core";
import { writeFileAtomic } from "../state/atomic.ts";
import { orDamaged, readStored } from "../state/read-stored.ts";
import type { HostNames } from "./host-side.ts";
import {
  checkNetworkName,
  DEFAULT_BRIDGE,
  DEFAULT_NETWORK,
  parseNetworkRecord,
  type MacvlanMode,
  type NetworkDriver,
  type NetworkRecord,
} from "./network-record.ts";
import { makePools } from "./pools.ts";

/** What to make a network of; absent fields are docker's defaults. */
export interface NetworkRequest {
  readonly name: string;
  /** Default `bridge`. */
  readonly driver?: NetworkDriver;
  /** The machine's device beneath; not for bridges. */
  readonly parent?: string;
  readonly mode?: MacvlanMode;
  readonly internal?: boolean;
  readonly attachable?: boolean;
  /** Default true. */
  readonly ipv4?: boolean;
  readonly ipv6?: boolean;
  readonly masquerade?: boolean;
  readonly icc?: boolean;
  readonly mtu?: number;
  readonly bridge?: string;
  readonly hostBinding?: string;
  readonly ifnamePrefix?: string;
  readonly inhibitIpv4?: boolean;
  /** Subnets with gateway, range and reserved addresses; none chooses one. */
  readonly subnets?: readonly Omit<Pool, "leases" | "last">[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, string>>;
}

const SUFFIX = ".json";
/** How atomic writes name their files until they are whole. */
const TEMPORARY = ".tmp-";

/** True when a network without a bridge cannot have one as it was meant. */
function collides({ bridge, pools }: NetworkRecord, { devices, subnets }: HostNames): boolean {
  const present = subnets.map(parsePrefix).filter(({ bits }) => bits > 0);
  const isTaken = (subnet: string): boolean => present.some((each) => prefixesOverlap(each, parsePrefix(subnet)));
  return devices.includes(bridge) || pools.some(({ subnet }) => isTaken(subnet));
}

function newId(): string {
  return randomBytes(32).toString("hex");
}

/** What only some networks have. */
function parts({
  driver,
  parent,
  mode,
  attachable,
  ifnamePrefix,
  inhibitIpv4,
}: NetworkRequest): Partial<NetworkRecord> {
  return {
    ...(driver === undefined || driver === "bridge" ? {} : { driver }),
    ...(parent === undefined ? {} : { parent }),
    ...(mode === undefined ? {} : { mode }),
    ...(attachable === true ? { attachable } : {}),
    ...(ifnamePrefix === undefined ? {} : { ifnamePrefix }),
    ...(inhibitIpv4 === true ? { inhibitIpv4 } : {}),
  };
}

/** Reads and writes network records; every method takes the lock that {@link NetworkStore.lock} gives unless it only reads. */
export class NetworkStore {
  readonly #dir: string;

  constructor(root: string) {
    this.#dir = join(root, "networks");
  }

  /** The lock of all networks; taken after a container's own. */
  lock(): Disposable {
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
    return lockFile(join(this.#dir, "lock"));
  }

  /** All networks, oldest first, without those whose records are damaged, which are told to `onDamage`. */
  list(onDamage?: (error: LapError) => void): NetworkRecord[] {
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
    const files = readdirSync(this.#dir).filter((file) => file.endsWith(SUFFIX));
    const records = files.flatMap((file) => {
      const path = join(this.#dir, file);
      return orDamaged(() => parseNetworkRecord(readStored(path) ?? "", path), onDamage) ?? [];
    });
    return records.toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : 0));
  }

  /** Deletes what writers that were killed left half-written. Needs the lock. */
  sweep(): void {
    for (const file of readdirSync(this.#dir))
      if (file.startsWith(TEMPORARY)) rmSync(join(this.#dir, file), { force: true });
  }

  /** By name, full id or unique id prefix. Throws `ERR_LAP_NO_NETWORK`, `ERR_LAP_ID_AMBIGUOUS`. */
  find(wanted: string): NetworkRecord {
    let damage: LapError | undefined;
    const all = this.list((error) => {
      damage = error;
    });
    const exact = all.find(({ name, id }) => name === wanted || id === wanted);
    if (exact !== undefined) return exact;
    const matches = /^[a-f0-9]+$/.test(wanted) ? all.filter(({ id }) => id.startsWith(wanted)) : [];
    if (matches.length === 1) return matches[0]!;
    if (matches.length > 1) {
      throw new LapError(
        "invalidArgument",
        "ERR_LAP_ID_AMBIGUOUS",
        `network ${wanted} is ambiguous (${matches.length} matches found on ID prefix)`,
      );
    }
    // It may be that one.
    throw damage ?? new LapError("notFound", "ERR_LAP_NO_NETWORK", `network ${wanted} not found`);
  }

  /** Adds a network of a person. Needs the lock. */
  create(request: NetworkRequest, createdAt: string, taken: HostNames): NetworkRecord {
    const name = checkNetworkName(request.name);
    if (this.list().some((other) => other.name === name)) {
      throw new LapError("conflict", "ERR_LAP_NETWORK_EXISTS", `network with name ${name} already exists`);
    }
    return this.#add(newId(), request, createdAt, taken, (id) => `br-${id.slice(0, 12)}`);
  }

  /**
   * The default network, made at first use. One whose bridge is not there gets another name of device or subnet when something of the
   * machine has them: it was chosen when that was not there, and nobody relies on it. Needs the lock.
   */
  ensureDefault(createdAt: string, taken: HostNames): NetworkRecord {
    const found = this.list().find(({ name }) => name === DEFAULT_NETWORK);
    if (found !== undefined && !collides(found, taken)) return found;
    if (found !== undefined && Object.keys(found.endpoints).length > 0) return found;
    const bridge = (id: string): string =>
      taken.devices.includes(DEFAULT_BRIDGE) ? `lap-${id.slice(0, 8)}` : DEFAULT_BRIDGE;
    return this.#add(found?.id ?? newId(), { name: DEFAULT_NETWORK }, found?.createdAt ?? createdAt, taken, bridge);
  }

  #add(
    id: string,
    request: NetworkRequest,
    createdAt: string,
    taken: HostNames,
    bridge: (id: string) => string,
  ): NetworkRecord {
    const pools = this.#pools(request, id, taken.subnets);
    const record: NetworkRecord = {
      version: 1,
      id,
      name: request.name,
      createdAt,
      ...parts(request),
      bridge: (request.driver ?? "bridge") === "bridge" ? (request.bridge ?? bridge(id)) : "",
      internal: request.internal ?? false,
      ipv6: pools.some(({ subnet }) => subnet.includes(":")),
      masquerade: request.masquerade ?? true,
      icc: request.icc ?? true,
      mtu: request.mtu,
      hostBinding: request.hostBinding ?? "",
      pools,
      labels: request.labels ?? {},
      options: request.options ?? {},
      endpoints: {},
    };
    this.write(record, true);
    return record;
  }

  #pools(request: NetworkRequest, id: string, avoid: readonly string[]): Pool[] {
    const others = this.list().filter((other) => other.id !== id);
    const ours = others.flatMap(({ pools }) => pools.map(({ subnet }) => subnet));
    return makePools(request, id, ours, avoid);
  }

  /** Replaces a record; after a crash the file holds the old or the new one. Members need not survive a power cut. Needs the lock. */
  write(record: NetworkRecord, durable = false): void {
    writeFileAtomic(join(this.#dir, record.id + SUFFIX), `${JSON.stringify(record)}\n`, { durable });
  }

  /** Removes a record that has no members; throws `ERR_LAP_NETWORK_IN_USE` in docker's words. Needs the lock. */
  remove(record: NetworkRecord): void {
    if (record.name === DEFAULT_NETWORK) checkNetworkName(record.name);
    if (Object.keys(record.endpoints).length > 0) {
      const text = `error while removing network: network ${record.name} id ${record.id} has active endpoints`;
      throw new LapError("conflict", "ERR_LAP_NETWORK_IN_USE", text);
    }
    rmSync(join(this.#dir, record.id + SUFFIX), { force: true });
  }
}
