// The devices of linux.netDevices as a plan has them, and what is refused before anything is moved.
import { expect, test } from "vitest";
import { planNamespaces } from "./namespaces.ts";
import { netDevicesOf } from "./net-devices.ts";

const own = planNamespaces([{ type: "network" }]);

test("each device under its name, another one, or a template", () => {
  const netDevices = { eth1: {}, eth2: { name: "data0" }, eth3: { name: "net%d" }, eth4: { name: "" } };
  expect(netDevicesOf({ netDevices }, own)).toEqual([
    { name: "eth1", inside: "eth1" },
    { name: "eth2", inside: "data0" },
    { name: "eth3", inside: "net%d" },
    { name: "eth4", inside: "eth4" },
  ]);
  expect(netDevicesOf({}, planNamespaces([]))).toEqual([]);
});

test.each([
  ["a name that is too long", { eth1: { name: "0123456789abcdef" } }],
  ["a slash", { "a/b": {} }],
  ["a template outside", { "eth%d": {} }],
  ["another letter than d", { eth1: { name: "x%s" } }],
  ["two templates", { eth1: { name: "%d%d" } }],
  ["one name for two", { eth1: { name: "x" }, eth2: { name: "x" } }],
])("refused: %s", (_what, netDevices) => {
  expect(() => netDevicesOf({ netDevices }, own)).toThrow(expect.objectContaining({ code: "ERR_LAP_SPEC_INVALID" }));
});

test("refused: the caller's own network namespace", () => {
  expect(() => netDevicesOf({ netDevices: { eth1: {} } }, planNamespaces([]))).toThrow(/caller's/);
});
