// The host's firewall as a value to change: whole (reconcile) or by one network or owner at a time. Every change is one atomic batch of
// both families, and safe beside others: it is refused when anybody changed the ruleset since we read it, and then we read again.
import { errorCode, LapError } from "@lapstrake/base";
import type { Request } from "../netlink/message.ts";
import type { NetlinkOptions } from "../netlink/socket.ts";
import { Nft } from "../nft/nft.ts";
import { deleteElements, deleteTable, newElements, type Element, type Family } from "../nft/objects.ts";
import { Rtnl } from "../rtnl/rtnl.ts";
import { diffRequests } from "./diff.ts";
import {
  desiredElements,
  familyOfIp,
  keyText,
  networkElements,
  parsePortElement,
  portElements,
  takenError,
  type PlacedElement,
  type SetElements,
} from "./elements.ts";
import { TABLE } from "./names.ts";
import { ensureReinjectPair, removeReinjectPair } from "./reinject.ts";
import { createTable, rulesOf, SETS, versionOf, type RulesetOptions } from "./ruleset.ts";
import type { FirewallNetwork, FirewallState, InputPolicy, PublishedPort } from "./types.ts";

const FAMILIES: readonly Family[] = ["ip", "ip6"];
const TRIES = 50;
const NETWORK_SETS: readonly string[] = [SETS.bridges, SETS.internal, SETS.outbound, SETS.within];
const SET_NAMES: readonly string[] = Object.values(SETS);

/** Where the firewall is and what it does with input. */
export interface FirewallOptions extends NetlinkOptions {
  /** Default `respect`. */
  readonly input?: InputPolicy;
}

/** Our tables in the host's network namespace; opens its sockets once. Synchronous. */
export class Firewall implements Disposable {
  readonly #nft: Nft;
  readonly #rtnl: Rtnl;
  readonly #netns: number | undefined;
  readonly #input: InputPolicy;
  readonly #families: readonly Family[];

  constructor(options: FirewallOptions = {}) {
    this.#netns = options.netns;
    this.#input = options.input ?? "respect";
    this.#rtnl = new Rtnl(options);
    this.#nft = new Nft(options);
    this.#families = FAMILIES.filter((family) => familyWorks(this.#nft, family));
  }

  /** Makes a whole state true; returns how many requests that took, 0 when it was true already. */
  reconcile(state: FirewallState): number {
    const options = this.#options();
    return this.#commit(() =>
      this.#families.flatMap((family) => {
        const wanted = desiredElements(family, state);
        if (this.#isWhole(family, options)) return diffRequests(family, this.#elements(family), wanted);
        return [...this.#create(family, options), ...diffRequests(family, new Map(), wanted)];
      }),
    );
  }

  /**
   * Makes a part of a state true and our rules whole, and leaves alone what others keep in the same tables; returns how many requests that
   * took, 0 when it was true already.
   */
  mend(state: FirewallState): number {
    const options = this.#options();
    return this.#commit(() =>
      this.#families.flatMap((family) => {
        const present = this.#elements(family);
        const wanted = merged(present, desiredElements(family, state));
        if (this.#isWhole(family, options)) return diffRequests(family, present, wanted);
        return [...this.#create(family, options), ...diffRequests(family, new Map(), wanted)];
      }),
    );
  }

  /** Adds a network; idempotent. */
  addNetwork(network: FirewallNetwork): void {
    const placed = this.#families.flatMap((family) => networkElements(network).map((each) => ({ family, ...each })));
    this.#add(placed, network.id);
  }

  /**
   * Adds a network unless it is there as it should be: the usual case of a start, which then changes nothing. True when our tables were
   * missing or of another kind: whatever else should be in them may be lost.
   */
  ensureNetwork(network: FirewallNetwork): boolean {
    const options = this.#options();
    const wanted = networkElements(network).map(({ set, element }) => `${set} ${keyText(element)}`);
    const isThere = (family: Family): boolean => {
      const owned = NETWORK_SETS.flatMap((set) =>
        this.#nft
          .elements(family, TABLE, set)
          .filter(({ comment }) => comment === network.id)
          .map((element) => `${set} ${keyText(element)}`),
      );
      return owned.length === wanted.length && wanted.every((each) => owned.includes(each));
    };
    const isNew = !this.#families.every((family) => this.#isCurrent(family, options));
    if (isNew || !this.#families.every(isThere)) this.addNetwork(network);
    return isNew;
  }

  /** Publishes ports; throws `ERR_LAP_PORT_TAKEN`, and then none of them is. */
  publish(ports: readonly PublishedPort[]): void {
    this.#checkFamilies(ports);
    this.#add(
      ports.flatMap((port) => portElements(port).map((each) => ({ family: familyOfIp(port.hostIp), ...each }))),
    );
  }

  /** Publishes `ports` in place of all that `owner` had published, in one step; throws as {@link Firewall.publish}. */
  replacePorts(owner: string, ports: readonly PublishedPort[]): void {
    this.#checkFamilies(ports);
    this.#add(
      ports.flatMap((port) => portElements(port).map((each) => ({ family: familyOfIp(port.hostIp), ...each }))),
      owner,
    );
  }

  /** Takes away everything of one owner: a network by id, the ports of an endpoint. False when there was nothing. */
  removeOwned(owner: string): boolean {
    return this.#commit(() => this.#families.flatMap((family) => this.#removal(family, owner))) > 0;
  }

  /** The published ports as the kernel has them. */
  ports(): PublishedPort[] {
    return this.#families.flatMap((family) =>
      [SETS.published, SETS.publishedAny].flatMap((set) =>
        this.#nft
          .elements(family, TABLE, set)
          .map((element) => parsePortElement(family, set, element))
          .filter((port) => port !== undefined),
      ),
    );
  }

  /** Chains of other tables that drop what they do not accept on the way through: they hold our containers back as well. */
  obstacles(): string[] {
    const forward = 2;
    return this.#families.flatMap((family) =>
      this.#nft
        .chains(family)
        .filter((chain) => chain.table !== TABLE && chain.drops && chain.hook?.number === forward)
        .map((chain) => `${family} ${chain.table} ${chain.name}`),
    );
  }

  /** Takes our tables and the device pair away, unless `isNeeded` (asked in the same step); false when there was nothing to do. */
  remove(isNeeded: () => boolean = () => false): boolean {
    const present = (): Family[] => this.#families.filter((family) => this.#nft.table(family, TABLE) !== undefined);
    const changes = this.#commit(() => (isNeeded() ? [] : present().map((family) => deleteTable(family, TABLE))));
    if (isNeeded()) return false;
    removeReinjectPair(this.#rtnl);
    return changes > 0;
  }

  #options(): RulesetOptions {
    if (this.#input === "respect") {
      return { input: "respect", reinjectLink: ensureReinjectPair(this.#rtnl, this.#netns).index };
    }
    removeReinjectPair(this.#rtnl);
    return { input: "bypass", reinjectLink: 0 };
  }

  #create(family: Family, options: RulesetOptions): Request[] {
    const old = this.#nft.table(family, TABLE) === undefined ? [] : [deleteTable(family, TABLE)];
    return [...old, ...createTable(family, options)];
  }

  /** Puts elements in, in place of what `replaced` owned. */
  #add(placed: readonly Placed[], replaced?: string): void {
    const options = this.#options();
    const prepare = (family: Family): Request[] => {
      if (!this.#isCurrent(family, options)) return this.#renew(family, options, replaced);
      return replaced === undefined ? [] : this.#removal(family, replaced);
    };
    const additions = groups(placed).flatMap(({ family, set, elements }) => {
      return newElements(family, TABLE, set, elements, set === SETS.self);
    });
    try {
      this.#commit(() => [...this.#families.flatMap(prepare), ...additions]);
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
      throw this.#collision(placed) ?? error;
    }
  }

  #removal(family: Family, owner: string): Request[] {
    return SET_NAMES.flatMap((set) => {
      const owned = this.#nft.elements(family, TABLE, set).filter(({ comment }) => comment === owner);
      return deleteElements(family, TABLE, set, owned);
    });
  }

  /** A table made by another version or lost: made anew with the elements it had. */
  #renew(family: Family, options: RulesetOptions, replaced?: string): Request[] {
    const kept = [...this.#elements(family)].map(([set, elements]) => {
      return [set, elements.filter(({ comment }) => comment !== replaced)] as const;
    });
    return [...this.#create(family, options), ...diffRequests(family, new Map(), new Map(kept))];
  }

  /** Who holds a key that was asked for. */
  #collision(placed: readonly Placed[]): LapError | undefined {
    for (const { family, set, elements } of groups(placed)) {
      if (elements[0]?.data === undefined && set !== SETS.bridges) continue;
      const held = new Map(this.#nft.elements(family, TABLE, set).map((each) => [keyText(each), each.comment]));
      for (const element of elements) {
        const holder = held.get(keyText(element));
        if (holder !== undefined) return takenError(family, set, element, holder);
        held.set(keyText(element), element.comment);
      }
    }
    return undefined;
  }

  #checkFamilies(ports: readonly PublishedPort[]): void {
    const odd = ports.find((port) => !this.#families.includes(familyOfIp(port.hostIp)));
    if (odd === undefined) return;
    throw new LapError("failedPrecondition", "ERR_LAP_NO_IPV6", `cannot publish at "${odd.hostIp}": no IPv6 here`);
  }

  #elements(family: Family): SetElements {
    return new Map(SET_NAMES.map((set) => [set, this.#nft.elements(family, TABLE, set)]));
  }

  #isCurrent(family: Family, options: RulesetOptions): boolean {
    return this.#nft.table(family, TABLE)?.comment === versionOf(options);
  }

  /** True when our table is there and nobody took a rule out or put one in. */
  #isWhole(family: Family, options: RulesetOptions): boolean {
    if (!this.#isCurrent(family, options)) return false;
    const text = (rules: readonly { chain: string; comment: string }[]): string =>
      rules
        .map((rule) => `${rule.chain}: ${rule.comment}`)
        .toSorted()
        .join("\n");
    return text(this.#nft.rules(family, TABLE)) === text(rulesOf(family, options));
  }

  /** Commits what `attempt` asks for, again while others change the ruleset under it. */
  #commit(attempt: () => readonly Request[]): number {
    for (let tries = 0; tries < TRIES; tries++) {
      const generation = this.#nft.generation();
      const requests = attempt();
      try {
        this.#nft.commit(requests, generation);
        return requests.length;
      } catch (error) {
        if (errorCode(error) !== "ERESTART") throw explain(error);
      }
    }
    throw new LapError("unavailable", "ERR_LAP_FIREWALL_BUSY", "another program keeps changing the firewall");
  }

  [Symbol.dispose](): void {
    this.#nft[Symbol.dispose]();
    this.#rtnl[Symbol.dispose]();
  }
}

/** A kernel without an expression that our rules use refuses the rule with ENOENT; say which and what to do. */
function explain(error: unknown): unknown {
  const { code, syscall, path = "" } = error as { code?: string; syscall?: string; path?: string };
  if (code !== "ENOENT" || syscall !== "NFT_MSG_NEWRULE") return error;
  const dup = path.includes("accepted by the host");
  return new LapError("failedPrecondition", "ERR_LAP_NFT_MISSING", `the kernel refuses our rule "${path}"`, {
    hint: dup
      ? "load nft_dup_ipv4 and nft_dup_ipv6, or choose input policy bypass"
      : "load nf_tables with nat, fib and ct",
    cause: error,
  });
}

/** False when this kernel lacks the family: IPv6 may be off. */
function familyWorks(nft: Nft, family: Family): boolean {
  try {
    nft.table(family, TABLE);
    return true;
  } catch (error) {
    if (errorCode(error) === "EAFNOSUPPORT" || errorCode(error) === "EOPNOTSUPP") return false;
    throw error;
  }
}

/** What is wanted, in place of what the same owners or other owners of the same keys had. */
function merged(present: SetElements, wanted: SetElements): SetElements {
  const owners = new Set([...wanted.values()].flatMap((elements) => elements.map(({ comment }) => comment)));
  const sets = new Set([...present.keys(), ...wanted.keys()]);
  return new Map(
    [...sets].map((set) => {
      const own = wanted.get(set) ?? [];
      const keys = new Set(own.map(keyText));
      const others = (present.get(set) ?? []).filter((each) => !owners.has(each.comment) && !keys.has(keyText(each)));
      return [set, [...others, ...own]];
    }),
  );
}

interface Placed extends PlacedElement {
  readonly family: Family;
}

interface Group {
  readonly family: Family;
  readonly set: string;
  readonly elements: Element[];
}

/** Elements by family and set, in order of first appearance. */
function groups(placed: readonly Placed[]): Group[] {
  const out = new Map<string, Group>();
  for (const { family, set, element } of placed) {
    const name = `${family} ${set}`;
    if (!out.has(name)) out.set(name, { family, set, elements: [] });
    out.get(name)!.elements.push(element);
  }
  return [...out.values()];
}
