import { expect, it } from "vitest";
import { formatHosts, parseAddHost } from "./hosts-file.ts";

const HOSTS = { hostname: "web", domainname: undefined, addresses: [], extra: [], gateways: [] };

it("a container finds its own name at its address, or at loopback", () => {
  expect(formatHosts(HOSTS)).toMatch(/^127\.0\.0\.1\tlocalhost\n[^]*\n127\.0\.1\.1\tweb\n$/);
  const file = formatHosts({ ...HOSTS, domainname: "lan", addresses: ["172.18.0.2", "fd00::2"] });
  expect(file).toContain("\n172.18.0.2\tweb.lan web\nfd00::2\tweb.lan web\n");
  expect(file).not.toContain("127.0.1.1");
});

it("names the machine, unless told otherwise", () => {
  expect(formatHosts({ ...HOSTS, gateways: ["172.18.0.1"] })).toContain(
    "\n172.18.0.1\thost.docker.internal host.lap.internal\n",
  );
  const extra = ["db:10.0.0.9", "host.docker.internal:host-gateway", "six=[fd00::9]"];
  const file = formatHosts({ ...HOSTS, gateways: ["172.18.0.1"], extra });
  expect(file).toContain("\n10.0.0.9\tdb\n172.18.0.1\thost.docker.internal\nfd00::9\tsix\n");
  expect(file).toContain("\n172.18.0.1\thost.lap.internal\n");
  expect(() => formatHosts({ ...HOSTS, extra: ["m:host-gateway"] })).toThrow(/no network with a gateway/);
});

it("refuses what is no name and address", () => {
  expect(() => parseAddHost("foo")).toThrow('bad format for add-host: "foo"');
  expect(() => parseAddHost("foo:1.2.3")).toThrow('invalid IP address in add-host: "1.2.3"');
});
