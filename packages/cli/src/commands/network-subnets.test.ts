// What belongs to which subnet of `lap network create`.
import { expect, test } from "vitest";
import { consolidate } from "./network-subnets.ts";

const NONE = { subnets: [], gateways: [], ranges: [], auxiliary: {} };

test("gateways, ranges and addresses go to the subnet that contains them, whatever the order", () => {
  const asked = {
    subnets: ["10.1.0.0/24", "10.2.0.0/24", "fd00:1::/64"],
    gateways: ["fd00:1::9", "10.2.0.9"],
    ranges: ["10.2.0.128/25"],
    auxiliary: { router: "10.1.0.7", printer: "fd00:1::7" },
  };
  expect(consolidate(asked)).toEqual([
    { subnet: "10.1.0.0/24", reserved: { router: "10.1.0.7" } },
    { subnet: "10.2.0.0/24", gateway: "10.2.0.9", range: "10.2.0.128/25" },
    { subnet: "fd00:1::/64", gateway: "fd00:1::9", reserved: { printer: "fd00:1::7" } },
  ]);
  expect(consolidate(NONE)).toEqual([]);
});

test.each([
  [{ gateways: ["10.1.0.1"] }, "every ip-range or gateway must have a corresponding subnet"],
  [{ auxiliary: { a: "10.1.0.1" } }, "no matching subnet for aux-address 10.1.0.1"],
  [{ subnets: ["10.1.0.0/24"], gateways: ["10.2.0.1"] }, "no matching subnet for gateway 10.2.0.1"],
  [{ subnets: ["10.1.0.0/24"], ranges: ["10.2.0.0/25"] }, "no matching subnet for range 10.2.0.0/25"],
  [{ subnets: ["10.1.0.0/24", "10.1.0.128/25"] }, "multiple overlapping subnet configuration is not supported"],
  [
    { subnets: ["10.1.0.0/24", "10.2.0.0/24"], gateways: ["10.1.0.1", "10.1.0.2"] },
    "cannot configure multiple gateways (10.1.0.2, 10.1.0.1) for the same subnet (10.1.0.0/24)",
  ],
])("%j is refused", (asked, message) => {
  expect(() => consolidate({ ...NONE, ...asked })).toThrow(expect.objectContaining({ message }));
});
