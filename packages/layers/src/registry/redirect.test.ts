// Which locations are followed, and how they are read.
import { expect, test } from "vitest";
import { checkLocation, sameOrigin } from "./redirect.ts";

test.each([
  ["https://r.test/v2/a", "/v2/b?x=1", "https://r.test/v2/b?x=1"],
  ["https://r.test/v2/a", "https://cdn.test/b#part", "https://cdn.test/b"],
  ["https://r.test/v2/a", "//cdn.test/b", "https://cdn.test/b"],
  ["http://localhost:5000/a", "http://127.0.0.1:6000/b", "http://127.0.0.1:6000/b"],
  ["http://r.test/a", "https://r.test/b", "https://r.test/b"],
  ["https://r.test/a", "http://r.test/behind-a-proxy", "https://r.test/behind-a-proxy"],
])("from %s, %s leads to %s", (from, location, target) => {
  expect(checkLocation(from, location)).toBe(target);
});

test.each([
  ["https://r.test/", "http://cdn.test/", "leave TLS"],
  ["https://r.test/", "https://127.0.0.1/", "address of this machine"],
  ["https://r.test/", "https://localhost:2375/", "address of this machine"],
  ["https://r.test/", "https://[::1]/", "address of this machine"],
  ["http://r.test/", "http://169.254.169.254/latest/meta-data", "address of this machine"],
  ["http://r.test/", "http://0x7f.1/", "address of this machine"],
  ["https://r.test/", "file:///etc/passwd", "not an http address"],
  ["https://r.test/", "javascript:1", "not an http address"],
  ["https://r.test/", "https://u:p@r.test/", "not an http address"],
  ["https://r.test/", `/${"x".repeat(10_000)}`, "no usable location"],
])("from %s, %s is refused", (from, location, why) => {
  expect(() => checkLocation(from, location)).toThrow(why);
});

test("no location", () => {
  expect(() => checkLocation("https://r.test/", undefined)).toThrow("no usable location");
});

test("origins", () => {
  expect(sameOrigin("https://r.test/a", "https://r.test:443/b")).toBe(true);
  expect(sameOrigin("https://r.test/a", "https://r.test:444/b")).toBe(false);
  expect(sameOrigin("https://r.test/a", "http://r.test/a")).toBe(false);
});
