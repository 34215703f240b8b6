import { isIP, isIPv6 } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  formatIp,
  formatMac,
  formatPrefix,
  integerToIp,
  ipToInteger,
  macOfIp,
  parseIp,
  parseMac,
  parsePrefix,
} from "./address.ts";

const ipv6Bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });

test("IPv6 text agrees with WHATWG's serialiser, which is RFC 5952's", () => {
  const sparse = fc
    .array(fc.constantFrom(0, 0, 0, 1, 0xff), { minLength: 16, maxLength: 16 })
    .map(Uint8Array.from.bind(Uint8Array));
  fc.assert(
    fc.property(fc.oneof(ipv6Bytes, sparse as fc.Arbitrary<Uint8Array>), (bytes) => {
      const text = formatIp(bytes);
      expect(`[${text}]`).toBe(new URL(`http://[${text}]/`).hostname);
      expect(parseIp(text)).toEqual(new Uint8Array(bytes));
    }),
  );
});

test("what parses is what the platform calls an address", () => {
  const part = fc.constantFrom("0", "1", "ff", "ffff", "10000", "::", ":", ".", "127.0.0.1", "256", "01", "g", "");
  fc.assert(
    fc.property(fc.array(part, { maxLength: 10 }), (parts) => {
      const text = parts.join("");
      const valid = isIP(text) !== 0 && !text.includes("%");
      let parsed = true;
      try {
        parseIp(text);
      } catch {
        parsed = false;
      }
      expect(parsed, text).toBe(valid);
    }),
    { numRuns: 2000 },
  );
  expect(isIPv6("::ffff:1.2.3.4")).toBe(true);
  expect(formatIp(parseIp("::ffff:1.2.3.4"))).toBe("::ffff:102:304");
});

test("integers and bytes are the same address", () => {
  fc.assert(
    fc.property(ipv6Bytes, (bytes) => {
      expect(integerToIp(ipToInteger(bytes), 16)).toEqual(new Uint8Array(bytes));
    }),
  );
});

test("prefixes", () => {
  expect(formatPrefix(parsePrefix("10.0.0.1/8"))).toBe("10.0.0.1/8");
  expect(parsePrefix("fd00::1").bits).toBe(128);
  for (const text of ["10.0.0.0/33", "fd00::/129", "10.0.0.0/-1", "10.0.0.0/", "10.0.0/8", "10.0.0.0/08"]) {
    expect(() => parsePrefix(text), text).toThrow(expect.objectContaining({ code: "ERR_LAP_ADDRESS" }));
  }
});

test("MAC addresses", () => {
  expect(macOfIp(parseIp("172.17.0.2"))).toBe("02:42:ac:11:00:02");
  expect(formatMac(parseMac("AA-bb-00-11-22-33"))).toBe("aa:bb:00:11:22:33");
  expect(() => parseMac("aa:bb:cc:dd:ee")).toThrow("invalid MAC address");
});
