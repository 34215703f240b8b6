// Public and other addresses, by examples of each registered range.
import { expect, test } from "vitest";
import { isPublicAddress } from "./addresses.ts";

test.each(["1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:1.1.1.1"])(
  "%s",
  (address) => {
    expect(isPublicAddress(address)).toBe(true);
  },
);

test.each([
  "0.0.0.0",
  "10.1.2.3",
  "100.64.0.1",
  "127.0.0.1",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "198.18.0.1",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::ffff:127.0.0.1",
  "::127.0.0.1",
  "::ffff:7f00:1",
  "64:ff9b::7f00:1",
  "2001:db8::1",
  "2002:7f00:1::",
  "2001:0:7f00:1::",
  "2001::1",
  "fe80::1",
  "fd00::1",
  "ff02::1",
])("not %s", (address) => {
  expect(isPublicAddress(address)).toBe(false);
});
