import fc from "fast-check";
import { expect, test } from "vitest";
import { parsePrefix, prefixContains, parseIp, prefixesOverlap } from "./address.ts";
import { allocate, chooseSubnet, createPool, DEFAULT_POOLS, localIpv6Subnet, release, type Pool } from "./ipam.ts";

test("the gateway is the first address unless told, and containers follow", () => {
  const pool = createPool({ subnet: "10.1.2.3/24" });
  expect(pool).toMatchObject({ subnet: "10.1.2.0/24", gateway: "10.1.2.1" });
  expect(allocate(pool, "a")).toMatchObject({ address: "10.1.2.2", withPrefix: "10.1.2.2/24" });
  expect(allocate(createPool({ subnet: "fd00::/64" }), "a").address).toBe("fd00::2");
});

test("a freed address rests until the subnet was gone round", () => {
  let pool = createPool({ subnet: "10.0.0.0/29" });
  for (const owner of ["a", "b"]) pool = allocate(pool, owner).pool;
  pool = release(pool, "a");
  const given = ["c", "d", "e", "f"].map((owner) => {
    const lease = allocate(pool, owner);
    pool = lease.pool;
    return lease.address;
  });
  expect(given).toEqual(["10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.2"]);
  expect(() => allocate(pool, "g")).toThrow(expect.objectContaining({ code: "ERR_LAP_SUBNET_FULL" }));
});

test("wanted addresses, ranges and reserved ones", () => {
  const pool = createPool({ subnet: "10.0.0.0/16", range: "10.0.5.0/30", reserved: { router: "10.0.5.1" } });
  expect(allocate(pool, "a").address).toBe("10.0.5.0");
  expect(allocate(pool, "a", "10.0.9.9").address).toBe("10.0.9.9");
  expect(() => allocate(pool, "a", "10.0.5.1")).toThrow(expect.objectContaining({ code: "ERR_LAP_ADDRESS_TAKEN" }));
  for (const wanted of ["10.1.0.1", "10.0.0.0", "10.0.255.255", "fd00::1"]) {
    expect(() => allocate(pool, "a", wanted)).toThrow(expect.objectContaining({ code: "ERR_LAP_SUBNET" }));
  }
});

test.each([
  [{ subnet: "10.0.0.0/24", gateway: "10.0.1.1" }],
  [{ subnet: "10.0.0.0/24", range: "10.0.0.0/16" }],
  [{ subnet: "10.0.0.0/24", reserved: { x: "10.9.0.1" } }],
])("a pool that contradicts itself is refused: %j", (spec) => {
  expect(() => createPool(spec)).toThrow(expect.objectContaining({ code: "ERR_LAP_SUBNET" }));
});

test("addresses are unique, within the subnet, never the gateway, until it is full", () => {
  const step = fc.oneof(fc.constant("give"), fc.nat(20).map(String));
  fc.assert(
    fc.property(
      fc.constantFrom("10.0.0.0/28", "10.0.0.0/30", "fd00::/124"),
      fc.array(step, { maxLength: 60 }),
      (subnet, steps) => {
        let pool: Pool = createPool({ subnet });
        for (const [index, what] of steps.entries()) {
          if (what !== "give") pool = release(pool, `o${what}`);
          else {
            const free =
              2 ** (subnet.includes(":") ? 4 : 32 - Number(subnet.slice(-2))) - (subnet.includes(":") ? 2 : 3);
            if (Object.keys(pool.leases).length >= free)
              expect(() => allocate(pool, "x")).toThrow("no available addresses");
            else {
              const { address, pool: next } = allocate(pool, `o${index}`);
              expect(pool.leases[address]).toBeUndefined();
              expect(address).not.toBe(pool.gateway);
              expect(prefixContains(parsePrefix(subnet), parseIp(address))).toBe(true);
              pool = next;
            }
          }
        }
      },
    ),
  );
});

test("default subnets avoid each other and the host's routes", () => {
  const taken = ["0.0.0.0/0", "172.17.3.0/24", "172.16.0.0/12", "fd00::/64"];
  expect(chooseSubnet([])).toBe("172.17.0.0/16");
  expect(chooseSubnet(["172.17.3.0/24"])).toBe("172.18.0.0/16");
  expect(chooseSubnet(taken)).toBe("192.168.0.0/20");
  const all: string[] = [];
  for (let i = 0; i < 31 + 256; i++) all.push(chooseSubnet(all));
  expect(() => chooseSubnet(all)).toThrow(expect.objectContaining({ code: "ERR_LAP_SUBNETS_USED_UP" }));
  const pairs = all.flatMap((a, i) => all.slice(i + 1).map((b) => prefixesOverlap(parsePrefix(a), parsePrefix(b))));
  expect(pairs).not.toContain(true);
  expect(DEFAULT_POOLS).toHaveLength(17);
});

test("an IPv6 subnet follows from an id", () => {
  expect(localIpv6Subnet("0123456789abcdef0123")).toBe("fd01:2345:6789:abcd::/64");
});
