// Makes a desired state true: what is right stays, what differs changes, in one atomic batch of both families. Idempotent, and safe
// beside others: a batch is refused when anybody changed the ruleset since we read it, and then we read again.
import { errorCode, LapError } from "@lapstrake/base";
import type { Request } from "../netlink/message.ts";
import type { NetlinkOptions } from "../netlink/socket.ts";
import { Nft } from "../nft/nft.ts";
import { deleteTable, type Family } from "../nft/objects.ts";
import { Rtnl } from "../rtnl/rtnl.ts";
import { diffRequests } from "./diff.ts";
import { desiredElements, type SetElements } from "./elements.ts";
import { TABLE } from "./names.ts";
import { ensureReinjectPair, removeReinjectPair } from "./reinject.ts";
import { createTable, rulesOf, SETS, versionOf, type RulesetOptions } from "./ruleset.ts";
import type { FirewallState } from "./types.ts";

const FAMILIES: readonly Family[] = ["ip", "ip6"];
const TRIES = 20;

/** What a table holds in our sets. */
export function presentElements(nft: Nft, family: Family): SetElements {
  return new Map(Object.values(SETS).map((set) => [set, nft.elements(family, TABLE, set)]));
}

/** True when our table is there and nobody took a rule out or put one in. */
function tableIsWhole(nft: Nft, family: Family, options: RulesetOptions): boolean {
  if (nft.table(family, TABLE)?.comment !== versionOf(options)) return false;
  // Rules are listed chain by chain, in the order of the chains; within a chain the order is ours.
  const listed = nft.rules(family, TABLE).map((rule) => `${rule.chain}: ${rule.comment}`);
  const wanted = rulesOf(family, options).map((rule) => `${rule.chain}: ${rule.comment}`);
  return listed.toSorted().join("\n") === wanted.toSorted().join("\n");
}

function familyRequests(nft: Nft, family: Family, state: FirewallState, options: RulesetOptions): Request[] {
  const wanted = desiredElements(family, state);
  if (tableIsWhole(nft, family, options)) return diffRequests(family, presentElements(nft, family), wanted);
  const old = nft.table(family, TABLE) === undefined ? [] : [deleteTable(family, TABLE)];
  return [...old, ...createTable(family, options), ...diffRequests(family, new Map(), wanted)];
}

/** Runs `attempt` again while others change the ruleset under it. */
function commitLoop(nft: Nft, attempt: () => Request[]): number {
  for (let tries = 0; tries < TRIES; tries++) {
    const generation = nft.generation();
    const requests = attempt();
    try {
      nft.commit(requests, generation);
      return requests.length;
    } catch (error) {
      if (errorCode(error) !== "ERESTART") throw error;
    }
  }
  throw new LapError("unavailable", "ERR_LAP_FIREWALL_BUSY", "another program keeps changing the firewall");
}

/** Which families this kernel has: IPv6 may be off. */
function usableFamilies(nft: Nft): Family[] {
  return FAMILIES.filter((family) => {
    try {
      nft.table(family, TABLE);
      return true;
    } catch (error) {
      if (errorCode(error) === "EAFNOSUPPORT" || errorCode(error) === "EOPNOTSUPP") return false;
      throw error;
    }
  });
}

/** Makes `state` true in the namespace; returns how many changes that took, 0 when it was true already. */
export function reconcileFirewall(state: FirewallState, options: NetlinkOptions = {}): number {
  using rtnl = new Rtnl(options);
  using nft = new Nft(options);
  const respects = state.input === "respect";
  const reinjectLink = respects ? ensureReinjectPair(rtnl, options.netns).index : 0;
  const rules = { input: state.input, reinjectLink };
  const families = usableFamilies(nft);
  const changes = commitLoop(nft, () => families.flatMap((family) => familyRequests(nft, family, state, rules)));
  if (!respects) removeReinjectPair(rtnl);
  return changes;
}

/** Takes our tables and the device pair away; false when there was nothing. */
export function removeFirewall(options: NetlinkOptions = {}): boolean {
  using rtnl = new Rtnl(options);
  using nft = new Nft(options);
  const families = usableFamilies(nft);
  const present = (): Family[] => families.filter((family) => nft.table(family, TABLE) !== undefined);
  const changes = commitLoop(nft, () => present().map((family) => deleteTable(family, TABLE)));
  removeReinjectPair(rtnl);
  return changes > 0;
}
