// What pasta(1) is told: only what was asked for leads in, and nothing to the machine's loopback.
import type { PublishedPort } from "@lapstrake/core";
import { expect, test } from "vitest";
import { pastaArguments } from "./pasta.ts";

const OWN = { address: "10.0.2.100", bits: 24, gateway: "10.0.2.2", resolver: "10.0.2.3" };
const port = (protocol: "tcp" | "udp", hostIp: string, hostPort: number): PublishedPort => {
  return { owner: "o", protocol, hostIp, hostPort, address: OWN.address, port: 80 };
};

test("ports are told one by one, and none where none is", () => {
  const ports = [port("tcp", "0.0.0.0", 8080), port("tcp", "127.0.0.1", 8081)];
  const text = pastaArguments(7, OWN, ports).join(" ");
  expect(text).toContain(" -T none -U none -t 8080:80 -t 127.0.0.1/8081:80 -u none ");
  expect(text).toContain(" --no-map-gw ");
  expect(text).toMatch(/ --netns \/proc\/7\/fd\/3$/);
});
