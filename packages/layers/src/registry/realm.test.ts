// Which realms a registry may send us to.
import { expect, test } from "vitest";
import { checkRealm } from "./realm.ts";
import type { Endpoint } from "./types.ts";

function endpoint(origin: string, realms?: readonly string[]): Endpoint {
  return { origin, domain: "d", settings: realms === undefined ? {} : { realms } };
}

test.each([
  ["https://registry-1.docker.io", "https://auth.docker.io/token"],
  ["https://ghcr.io", "https://ghcr.io/token"],
  ["https://registry.gitlab.com", "https://gitlab.com/jwt/auth"],
  ["https://localhost:5000", "https://localhost:5001/token"],
  ["http://127.0.0.1:5000", "http://127.0.0.1:5001/token"],
  ["http://localhost:5000", "https://localhost/token"],
])("%s may name %s", (origin, realm) => {
  expect(checkRealm(endpoint(origin), realm).href).toBe(realm);
});

test.each([
  ["https://registry.example.com", "https://evil.test/token", "another host"],
  ["https://registry.example.com", "https://example.com.evil.test/token", "another host"],
  ["https://registry.example.com", "http://registry.example.com/token", "leave TLS"],
  ["https://registry.example.com", "https://169.254.169.254/latest", "another host"],
  ["https://registry.example.com", "https://localhost/token", "another host"],
  ["https://10.0.0.1", "https://11.0.0.1/token", "another host"],
  ["https://localhost", "https://evil.localhost.test/", "another host"],
  ["https://registry.example.com", "ftp://registry.example.com/", "not an http address"],
  ["https://registry.example.com", "https://u:p@registry.example.com/", "not an http address"],
  ["https://registry.example.com", "", "not an http address"],
])("%s may not name %s", (origin, realm, why) => {
  expect(() => checkRealm(endpoint(origin), realm)).toThrow(why);
});

test("a named realm is allowed with its port, and only that", () => {
  const named = endpoint("https://registry.example.com", ["auth.test:8443"]);
  expect(checkRealm(named, "https://auth.test:8443/t").host).toBe("auth.test:8443");
  expect(() => checkRealm(named, "https://auth.test/t")).toThrow("another host");
});
