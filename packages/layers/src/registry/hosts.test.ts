// Where references are asked for: Docker Hub's API host, plain loopback, mirrors by prefix.
import { parseReference } from "@lapstrake/base";
import { expect, test } from "vitest";
import { Hosts, isLoopback, placesOf } from "./hosts.ts";

function hosts(speaksTls: boolean): Hosts {
  return new Hosts({ hosts: (host) => (host === "plain.test" ? { plainHttp: true } : undefined) }, () =>
    Promise.resolve(speaksTls),
  );
}

test.each([
  ["docker.io", true, "https://registry-1.docker.io"],
  ["registry.test:5000", false, "https://registry.test:5000"],
  ["plain.test", true, "http://plain.test"],
  ["localhost:5000", false, "http://localhost:5000"],
  ["localhost:5000", true, "https://localhost:5000"],
  ["[::1]:5000", false, "http://[::1]:5000"],
])("%s, TLS there: %s", async (host, speaksTls, origin) => {
  expect((await hosts(speaksTls).endpoint(host)).origin).toBe(origin);
});

test.each(["a/b", "user@host", "host?x", "host#x", ""])("%j is no registry host", async (host) => {
  await expect(hosts(true).endpoint(host)).rejects.toMatchObject({ code: "ERR_LAP_REGISTRY_HOST" });
});

test("loopback is this machine and nothing that looks like it", () => {
  for (const host of ["localhost", "localhost:1", "127.0.0.1", "127.9.9.9:80", "[::1]", "x.localhost"]) {
    expect(isLoopback(host), host).toBe(true);
  }
  for (const host of ["localhost.evil.test", "127.0.0.1.evil.test", "128.0.0.1", "evil-localhost", "[fe80::1]"]) {
    expect(isLoopback(host), host).toBe(false);
  }
});

function places(reference: string, ...mirrors: [prefix: string, location: string, digestOnly?: boolean][]): string[] {
  const table = mirrors.map(([prefix, location, digestOnly = false]) => ({ prefix, location, digestOnly }));
  return placesOf(parseReference(reference), table).map(({ host, path }) => `${host} ${path}`);
}

test("mirrors stand before the registry, the longest prefix first, and only for whole components", () => {
  expect(places("alpine", ["docker.io", "mirror.test:5000"])).toEqual([
    "mirror.test:5000 library/alpine",
    "docker.io library/alpine",
  ]);
  expect(places("example.org/team/app", ["example.org", "a.test"], ["example.org/team", "b.test/cache"])).toEqual([
    "b.test cache/app",
    "a.test team/app",
    "example.org team/app",
  ]);
  expect(places("example.org/teammate/app", ["example.org/team", "b.test"])).toEqual(["example.org teammate/app"]);
  expect(places("example.org/team/app", ["example.org/team/app", "b.test/x"])).toEqual([
    "b.test x",
    "example.org team/app",
  ]);
});

test("a mirror for digests is not asked for tags", () => {
  expect(places("alpine:3", ["docker.io", "m.test", true])).toEqual(["docker.io library/alpine"]);
  expect(places(`alpine@sha256:${"a".repeat(64)}`, ["docker.io", "m.test", true])).toHaveLength(2);
});
