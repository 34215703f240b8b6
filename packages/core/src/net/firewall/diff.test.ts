import fc from "fast-check";
import { expect, test } from "vitest";
import type { Element } from "../nft/objects.ts";
import { diffElements, diffRequests } from "./diff.ts";
import { keyText } from "./elements.ts";

const element = fc.record<Element>({
  key: fc.constantFrom(1, 2, 3, 4, 5).map((n) => Uint8Array.of(n)),
  data: fc.constantFrom(undefined, Uint8Array.of(1), Uint8Array.of(2)),
  comment: fc.constantFrom("a", "b"),
});
const elements = fc.uniqueArray(element, { selector: keyText });

const texts = (list: readonly Element[]): string[] =>
  list.map((each) => `${keyText(each)} ${each.data?.join() ?? "-"} ${each.comment}`).toSorted();

test("what is present, without what goes and with what comes, is what is wanted", () => {
  fc.assert(
    fc.property(elements, elements, (present, wanted) => {
      const { remove, add } = diffElements(present, wanted);
      const gone = new Set(remove.map(keyText));
      expect(texts([...present.filter((each) => !gone.has(keyText(each))), ...add])).toEqual(texts(wanted));
      expect(diffElements(wanted, wanted)).toEqual({ remove: [], add: [] });
      expect(texts(remove).filter((each) => texts(add).includes(each))).toEqual([]);
    }),
  );
});

test("removals of every set come before additions, so that a port can change hands", () => {
  const set = (n: number): Element[] => [{ key: Uint8Array.of(n), comment: "x" }];
  const requests = diffRequests(
    "ip",
    new Map([
      ["a", set(1)],
      ["b", set(1)],
    ]),
    new Map([
      ["a", set(2)],
      ["b", set(2)],
    ]),
  );
  expect(requests.map(({ name }) => name)).toEqual([
    "NFT_MSG_DELSETELEM",
    "NFT_MSG_DELSETELEM",
    "NFT_MSG_NEWSETELEM",
    "NFT_MSG_NEWSETELEM",
  ]);
});
