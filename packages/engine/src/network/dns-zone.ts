// The names of one user network: which addresses a container's name, alias or id has, and which name an address has. Pure; the keeper
// makes it anew from the records whenever a member comes or goes.
import { parseIp } from "@lapstrake/core";
import { encodeName, TYPE, type Answer, type Query } from "./dns-message.ts";

/** One member of a network. */
export interface Member {
  /** First the container's name (the one an address is translated back to), then aliases and the short id. */
  readonly names: readonly string[];
  /** Without prefix length. */
  readonly addresses: readonly string[];
}

/** What one network knows. */
export interface Zone {
  /** The network's name: `web.mynet` is `web` of `mynet`. */
  readonly network: string;
  readonly members: readonly Member[];
  /** Names that hold for every member: `host.docker.internal`. */
  readonly fixed?: Readonly<Record<string, readonly string[]>>;
}

/** Members come and go, and what asks caches poorly: docker's value. */
const TTL_S = 600;
const REVERSE4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/;
const REVERSE6 = /^((?:[0-9a-f]\.){32})ip6\.arpa$/;

function addressesOf(zone: Zone, name: string): readonly string[] | undefined {
  const fixed = zone.fixed?.[name];
  if (fixed !== undefined) return fixed;
  const suffix = `.${zone.network.toLowerCase()}`;
  const bare = name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
  const found = zone.members.filter(({ names }) => names.some((each) => each.toLowerCase() === bare));
  return found.length === 0 ? undefined : found.flatMap(({ addresses }) => addresses);
}

/** The address that a reverse name asks for, in the form of {@link Member.addresses}' bytes as hexadecimal digits. */
function reversed(name: string): string | undefined {
  const four = REVERSE4.exec(name);
  if (four !== null) {
    const parts = four.slice(1, 5).toReversed().map(Number);
    return parts.every((part) => part < 256) ? Buffer.from(parts).toString("hex") : undefined;
  }
  return REVERSE6.exec(name)?.[1]!.split(".").toReversed().join("");
}

function pointer(zone: Zone, name: string): Answer[] | undefined {
  const wanted = reversed(name);
  if (wanted === undefined) return undefined;
  const owner = zone.members.find(({ addresses }) =>
    addresses.some((a) => Buffer.from(parseIp(a)).toString("hex") === wanted),
  );
  if (owner?.names[0] === undefined) return undefined;
  const whole = `${owner.names[0]}.${zone.network}`;
  // Names of docker's may be longer than those of DNS: the address is known, its name cannot be said.
  return isSayable(whole) ? [{ type: TYPE.PTR, data: encodeName(whole), ttl: TTL_S }] : [];
}

/** RFC 1035 §2.3.4. */
function isSayable(name: string): boolean {
  return name.length <= 253 && name.split(".").every((label) => label.length > 0 && label.length <= 63);
}

/** Starts a list at another place: several addresses of one name share the load. */
function rotated<T>(items: readonly T[], turn: number): T[] {
  const at = items.length === 0 ? 0 : turn % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}

/** Answers from the zone: records, none for a name that has no such record, undefined for what is not the zone's to answer. */
export function lookUp(zone: Zone, query: Query, turn = 0): Answer[] | undefined {
  if (query.type === TYPE.PTR) return pointer(zone, query.name);
  const addresses = addressesOf(zone, query.name);
  if (addresses === undefined) return undefined;
  const records = addresses.map((address) => {
    const data = parseIp(address);
    return { type: data.length === 4 ? TYPE.A : TYPE.AAAA, data, ttl: TTL_S };
  });
  const wanted = (type: number): boolean => query.type === TYPE.ANY || query.type === type;
  return rotated(
    records.filter(({ type }) => wanted(type)),
    turn,
  );
}
