import { expect, test } from "vitest";
import { parsePortSpec, portName } from "./port-spec.ts";

const one = (spec: string): string => {
  const [binding, ...more] = parsePortSpec(spec);
  expect(more).toEqual([]);
  return `${binding!.hostIp}|${binding!.hostPorts.join("-")}|${portName(binding!)}`;
};

test.each([
  ["80", "|0-0|80/tcp"],
  ["8080:80", "|8080-8080|80/tcp"],
  ["8080:80/udp", "|8080-8080|80/udp"],
  ["8080:80/SCTP", "|8080-8080|80/sctp"],
  ["127.0.0.1:8080:80", "127.0.0.1|8080-8080|80/tcp"],
  ["127.0.0.1::80", "127.0.0.1|0-0|80/tcp"],
  ["[::1]:8080:80", "::1|8080-8080|80/tcp"],
  ["[::]::80/udp", "::|0-0|80/udp"],
  ["::1:8080:80", "::1|8080-8080|80/tcp"],
  ["8000-8010:80", "|8000-8010|80/tcp"],
  [":80", "|0-0|80/tcp"],
])("%s", (spec, meant) => {
  expect(one(spec)).toBe(meant);
});

test("ranges go pairwise", () => {
  expect(parsePortSpec("8000-8002:80-82").map((b) => [...b.hostPorts, b.containerPort])).toEqual([
    [8000, 8000, 80],
    [8001, 8001, 81],
    [8002, 8002, 82],
  ]);
  expect(parsePortSpec("80-81").map((b) => [...b.hostPorts, b.containerPort])).toEqual([
    [0, 0, 80],
    [0, 0, 81],
  ]);
});

test.each([
  ["abc", "invalid containerPort: abc"],
  ["", "no port specified: <empty>"],
  ["8080:", "no port specified: 8080:<empty>"],
  ["x:80", "invalid hostPort: x"],
  ["65536:80", "invalid hostPort: 65536"],
  ["0", "invalid containerPort: 0"],
  ["90-80", "invalid containerPort: 90-80"],
  ["1.2.3:80:80", "invalid IP address: 1.2.3"],
  ["80/icmp", "invalid proto: icmp"],
  [
    "8000-8001:80-82",
    `invalid ranges specified for container and host Ports: 80-82 and 8000-8001 in "8000-8001:80-82"`,
  ],
])("%s is refused", (spec, message) => {
  expect(() => parsePortSpec(spec)).toThrow(expect.objectContaining({ code: "ERR_LAP_PORT_SPEC", message }));
});
