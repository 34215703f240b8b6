// Which names a container can ask for: of members, and of links that only it has.
import { expect, test } from "vitest";
import { lookUp } from "./dns-zone.ts";
import { TYPE } from "./dns-message.ts";
import { parseLink } from "./links.ts";
import type { EndpointRecord, NetworkRecord } from "./network-record.ts";
import { zonesOf } from "./zones.ts";

const member = (containerId: string, containerName: string, address: string, links?: string[]): EndpointRecord => ({
  ...{ id: containerId, containerId, containerName, aliases: [], addresses: [address], mac: "", hostIfname: "" },
  ...{ ifname: "eth0", ports: [] },
  ...(links === undefined ? {} : { links }),
});
const WEB = member("a".repeat(64), "web", "10.0.0.2/24", ["db:Database", "gone:x"]);
const DB = member("b".repeat(64), "db", "10.0.0.3/24");
const NET: NetworkRecord = {
  ...{ version: 1, id: "n", name: "app", createdAt: "", bridge: "br0", internal: false, ipv6: false },
  ...{ masquerade: true, icc: true, mtu: undefined, hostBinding: "", labels: {}, options: {} },
  pools: [{ subnet: "10.0.0.0/24", gateway: "10.0.0.1", leases: {} }],
  endpoints: { [WEB.containerId]: WEB, [DB.containerId]: DB },
};
const ask = (
  network: NetworkRecord,
  who: EndpointRecord,
  name: string,
  type: number = TYPE.A,
): string[] | undefined => {
  const query = { id: 1, opcode: 0, recursionDesired: true, name, type, class: 1, questionEnd: 0 };
  const zone = zonesOf([network], who.containerId)[0]!;
  return lookUp(zone, query)?.map(({ data }) => Buffer.from(data).toString("hex"));
};

test("a link is a name that only its owner knows, while the other is there", () => {
  expect(ask(NET, WEB, "database")).toEqual(["0a000003"]);
  expect(ask(NET, WEB, "x")).toBeUndefined();
  expect(ask(NET, DB, "database")).toBeUndefined();
  expect(parseLink("/db")).toEqual({ target: "db", alias: "db" });
  for (const text of ["", ":x", "a:", "a:b:c"]) expect(() => parseLink(text)).toThrow(/bad format for links/);
});

test("the machine is known where it has an address", () => {
  expect(ask(NET, WEB, "host.docker.internal")).toEqual(["0a000001"]);
  expect(ask({ ...NET, driver: "macvlan" }, WEB, "host.docker.internal")).toBeUndefined();
});

test("a network whose name is no label of DNS has addresses without names", () => {
  const odd = { ...NET, name: "n".repeat(64) };
  expect(ask(odd, WEB, "3.0.0.10.in-addr.arpa", TYPE.PTR)).toEqual([]);
  expect(ask(NET, WEB, "3.0.0.10.in-addr.arpa", TYPE.PTR)).toHaveLength(1);
});
