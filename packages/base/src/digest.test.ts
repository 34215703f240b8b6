import { expect, it } from "vitest";
import { digestAlgorithm, digestHex, isDigest, parseDigest } from "./digest.ts";

const GOOD = `sha256:${"0f".repeat(32)}`;

it("accepts sha256 and sha512 of the right length", () => {
  expect(isDigest(GOOD)).toBe(true);
  expect(isDigest(`sha512:${"0f".repeat(64)}`)).toBe(true);
  expect(digestHex(parseDigest(GOOD))).toBe("0f".repeat(32));
  expect(digestAlgorithm(parseDigest(GOOD))).toBe("sha256");
});

// c/image CVE-2024-3727: a digest becomes a path.
it.each([
  "sha256:../../etc/passwd",
  "sha256:" + "0F".repeat(32),
  "md5:00",
  "sha256:",
  GOOD + "0",
  GOOD + "\n",
  7,
  null,
])("CVE-2024-3727 refuses %j", (value) => {
  expect(() => parseDigest(value)).toThrow(/invalid digest/);
});
