// Challenges as registries write them, and as hostile ones do.
import { expect, test } from "vitest";
import { parseChallenges } from "./challenge.ts";

function shown(header: string): unknown[] {
  return parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
}

test.each<[string, unknown[]]>([
  [
    `Bearer realm="https://auth.test/token",service="registry.test",scope="repository:a/b:pull,push"`,
    [["bearer", { realm: "https://auth.test/token", service: "registry.test", scope: "repository:a/b:pull,push" }]],
  ],
  [`Basic realm="a \\"quoted\\" realm"`, [["basic", { realm: `a "quoted" realm` }]]],
  [`BEARER Realm=https://auth.test/token`, [["bearer", { realm: "https://auth.test/token" }]]],
  [
    `Negotiate, Basic realm=x, Bearer realm="y", service="z"`,
    [
      ["negotiate", {}],
      ["basic", { realm: "x" }],
      ["bearer", { realm: "y", service: "z" }],
    ],
  ],
  [`Bearer realm="first",realm="second"`, [["bearer", { realm: "first" }]]],
  [`Basic`, [["basic", {}]]],
  ["", []],
  [`realm="without scheme"`, []],
  [
    `Bearer realm="never closed`,
    [
      ["bearer", {}],
      ["realm", {}],
    ],
  ],
  [`"quoted first"`, []],
])("%s", (header, expected) => {
  expect(shown(header)).toEqual(expected);
});

test("a long header costs no more than its bound", () => {
  const header = `Bearer realm="${"\\\\a".repeat(1_000_000)}"`;
  const began = process.cpuUsage();
  expect(shown(header)).toHaveLength(2);
  expect(process.cpuUsage(began).user).toBeLessThan(500_000);
});
