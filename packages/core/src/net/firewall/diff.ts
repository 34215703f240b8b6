// The difference between what a table holds and what it should hold, as requests. Pure.
import type { Request } from "../netlink/message.ts";
import { deleteElements, newElements, type Element, type Family } from "../nft/objects.ts";
import { keyText, type SetElements } from "./elements.ts";
import { TABLE } from "./names.ts";

/** Elements to take out and to put in. */
export interface ElementDiff {
  readonly remove: readonly Element[];
  readonly add: readonly Element[];
}

/** True when two elements say the same, owner included. */
function same(a: Element, b: Element): boolean {
  const bytes = (value: Uint8Array | undefined): string =>
    value === undefined ? "" : Buffer.from(value).toString("hex");
  return bytes(a.data) === bytes(b.data) && a.comment === b.comment;
}

/** What changes one list of elements into another; a changed value is taken out and put in. */
export function diffElements(present: readonly Element[], wanted: readonly Element[]): ElementDiff {
  const have = new Map(present.map((element) => [keyText(element), element]));
  const want = new Map(wanted.map((element) => [keyText(element), element]));
  const kept = (element: Element, other: Element | undefined): boolean => other !== undefined && same(element, other);
  return {
    remove: present.filter((element) => !kept(element, want.get(keyText(element)))),
    add: wanted.filter((element) => !kept(element, have.get(keyText(element)))),
  };
}

/** The requests of every set's difference: all removals, then all additions, so that a port can change hands in one batch. */
export function diffRequests(family: Family, present: SetElements, wanted: SetElements): Request[] {
  const removals: Request[] = [];
  const additions: Request[] = [];
  for (const [set, elements] of wanted) {
    const { remove, add } = diffElements(present.get(set) ?? [], elements);
    removals.push(...deleteElements(family, TABLE, set, remove));
    additions.push(...newElements(family, TABLE, set, add));
  }
  return [...removals, ...additions];
}
