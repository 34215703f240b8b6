// The rules as bytes: a table in the kernel is told from another version's by its comment alone, so rules may not change under one comment.
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { encodeRequest } from "../netlink/message.ts";
import { createTable, rulesOf, versionOf, type RulesetOptions } from "./ruleset.ts";

const RESPECT: RulesetOptions = { input: "respect", reinjectLink: 7 };
const BYPASS: RulesetOptions = { input: "bypass", reinjectLink: 0 };

function digest(): string {
  const hash = createHash("sha256");
  for (const options of [RESPECT, BYPASS]) {
    for (const family of ["ip", "ip6"] as const) {
      for (const request of createTable(family, { ...options })) {
        // The table's own request carries the version, which is compared apart.
        if (request.name !== "NFT_MSG_NEWTABLE") hash.update(encodeRequest(request, 0));
      }
    }
  }
  return hash.digest("hex").slice(0, 16);
}

test("changed rules come with a changed version: raise it in versionOf, then here", () => {
  expect([versionOf(RESPECT), versionOf(BYPASS), digest()]).toEqual([
    "lapstrake rules 3: respecting input by link 7",
    "lapstrake rules 3: bypassing input",
    "076027d1c40bbc21",
  ]);
});

test("every rule of a chain has a comment of its own, by which a lost one is noticed", () => {
  for (const family of ["ip", "ip6"] as const) {
    for (const options of [RESPECT, BYPASS]) {
      const names = rulesOf(family, options).map(({ chain, comment }) => `${chain}: ${comment}`);
      expect(new Set(names).size).toBe(names.length);
    }
  }
});

test("loopback addresses are guarded where IPv4 is, and input is looked at only when it is respected", () => {
  const chains = (family: "ip" | "ip6", options: RulesetOptions): Set<string> =>
    new Set(rulesOf(family, options).map(({ chain }) => chain));
  expect(chains("ip", BYPASS)).toContain("guard");
  expect(chains("ip6", BYPASS)).not.toContain("guard");
  expect(chains("ip", RESPECT)).toContain("input");
  expect(chains("ip", BYPASS)).not.toContain("input");
});
