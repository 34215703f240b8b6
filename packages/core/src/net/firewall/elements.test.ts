import fc from "fast-check";
import { expect, test } from "vitest";
import { formatIp } from "../address.ts";
import { desiredElements, needsProxy, parsePortElement, portElements } from "./elements.ts";
import type { PublishedPort } from "./types.ts";

const port = fc.integer({ min: 1, max: 65_535 });
const ip = (bytes: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((value) => formatIp(new Uint8Array(value)));
const published = fc.constantFrom(4, 16).chain((bytes) =>
  fc.record<PublishedPort>({
    owner: fc.stringMatching(/^[a-f0-9]{8,64}$/),
    protocol: fc.constantFrom("tcp", "udp", "sctp"),
    hostIp: fc.oneof(ip(bytes), fc.constant(bytes === 4 ? "0.0.0.0" : "::")),
    hostPort: port,
    address: ip(bytes),
    port,
  }),
);

const WEB: PublishedPort = {
  owner: "a",
  protocol: "tcp",
  hostIp: "0.0.0.0",
  hostPort: 80,
  address: "10.0.0.2",
  port: 8080,
};

test("a published port reads back from its element", () => {
  fc.assert(
    fc.property(published, (each) => {
      const [{ set, element }] = portElements(each) as [ReturnType<typeof portElements>[number]];
      expect(parsePortElement(each.hostIp.includes(":") ? "ip6" : "ip", set, element)).toEqual(each);
    }),
  );
});

test("an element of another form is nobody's port", () => {
  const [{ set, element }] = portElements(WEB) as [ReturnType<typeof portElements>[number]];
  expect(parsePortElement("ip6", set, element)).toBeUndefined();
  expect(parsePortElement("ip", set, { ...element, data: undefined })).toBeUndefined();
  expect(parsePortElement("ip", set, { ...element, key: element.key.with(0, 1) })).toBeUndefined();
});

test.each([
  [{ hostPort: 0 }, "ERR_LAP_PORT"],
  [{ port: 65_536 }, "ERR_LAP_PORT"],
  [{ hostIp: "::" }, "ERR_LAP_PUBLISH_FAMILY"],
  [{ address: "web" }, "ERR_LAP_ADDRESS"],
])("%j is refused", (change, code) => {
  expect(() => portElements({ ...WEB, ...change })).toThrow(expect.objectContaining({ code }));
});

test("two owners of one port are told apart before the kernel is asked", () => {
  const state = { networks: [], ports: [WEB, { ...WEB, owner: "b", port: 1 }] };
  expect(() => desiredElements("ip", state)).toThrow(
    expect.objectContaining({
      code: "ERR_LAP_PORT_TAKEN",
      message: "Bind for 0.0.0.0:80 failed: port is already allocated",
    }),
  );
  const bridge = { id: "n", bridge: "br0", internal: false, masquerade: true };
  expect(() => desiredElements("ip", { networks: [bridge, { ...bridge, id: "m" }], ports: [] })).toThrow(
    expect.objectContaining({ code: "ERR_LAP_BRIDGE_TAKEN" }),
  );
});

test("each family holds its own ports, and every network", () => {
  const state = {
    networks: [{ id: "n", bridge: "br0", internal: true, masquerade: true }],
    ports: [WEB, { ...WEB, hostPort: 81 }, { ...WEB, hostIp: "::1", address: "fd00::2" }],
  };
  const counts = (family: "ip" | "ip6"): Record<string, number> =>
    Object.fromEntries([...desiredElements(family, state)].map(([set, elements]) => [set, elements.length]));
  const network = { bridges: 1, within: 1, internal: 1, outbound: 0 };
  expect(counts("ip")).toEqual({ ...network, published: 0, ports: 0, "published-any": 2, "ports-any": 2, self: 1 });
  expect(counts("ip6")).toEqual({ ...network, published: 1, ports: 1, "published-any": 0, "ports-any": 0, self: 1 });
});

test("IPv6 loopback and what crosses families want a proxy", () => {
  const wants = (hostIp: string, address: string): boolean => needsProxy({ ...WEB, hostIp, address });
  expect(["::", "::1", "0:0:0:0:0:0:0:1"].map((hostIp) => wants(hostIp, "fd00::2"))).toEqual([true, true, true]);
  expect(["0.0.0.0", "127.0.0.1"].map((hostIp) => wants(hostIp, "10.0.0.2"))).toEqual([false, false]);
  expect(["fd00::2", "10.0.0.2"].map((address) => wants("fd00::1", address))).toEqual([false, true]);
});
