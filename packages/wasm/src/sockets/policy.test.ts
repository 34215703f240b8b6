// Which addresses a policy lets through, by itself and by names; what the network beneath says is given.
import { describe, expect, it } from "vitest";
import { addressOf, isRemote, isUsable, wasiAddress, wasiIp, type Address } from "./address.ts";
import { policySockets, type SocketPolicy } from "./policy.ts";
import type { Connection, SocketNet, TcpHandle, UdpHandle } from "./port.ts";

const CONNECTION = {} as Connection;

function network(names: Readonly<Record<string, readonly string[]>> = {}): SocketNet {
  const family = (host: string): "ipv4" | "ipv6" => (host.includes(":") ? "ipv6" : "ipv4");
  return {
    tcp: () =>
      ({
        bind: () => undefined,
        connect: async () => CONNECTION,
        listen: () => undefined,
        local: () => undefined,
      }) as unknown as TcpHandle,
    udp: () =>
      ({ bind: () => undefined, connect: () => undefined, send: async () => undefined }) as unknown as UdpHandle,
    resolve: async (name) => (names[name] ?? []).map((host) => ({ family: family(host), host })),
  };
}

const at = (host: string, port: number): Address => ({ family: host.includes(":") ? "ipv6" : "ipv4", host, port });
const denied = { code: "access-denied" };

async function connects(net: SocketNet, host: string, port: number): Promise<boolean> {
  try {
    await net.tcp("ipv4").connect(at(host, port));
    return true;
  } catch (error) {
    expect(error).toMatchObject(denied);
    return false;
  }
}

describe("a policy", () => {
  it("allows nothing by default", async () => {
    const net = policySockets({ allow: [] }, network({ host: ["8.8.8.8"] }));
    expect(await connects(net, "8.8.8.8", 80)).toBe(false);
    await expect(net.resolve("host")).rejects.toMatchObject(denied);
    expect(() => net.tcp("ipv4").listen(1, () => undefined)).toThrow(expect.objectContaining(denied));
    expect(() => net.udp("ipv4").bind(at("0.0.0.0", 53))).toThrow(expect.objectContaining(denied));
    await expect(net.udp("ipv4").send(new Uint8Array(1), at("8.8.8.8", 53))).rejects.toMatchObject(denied);
  });

  it("lets addresses through that a rule names, at its ports", async () => {
    const allow = [{ host: "8.8.8.8", ports: [53] }, { host: "1.1.1.1" }, { host: "10.0.0.1", ports: "any" as const }];
    const net = policySockets({ allow }, network());
    const tried = [at("8.8.8.8", 53), at("8.8.8.8", 80), at("1.1.1.1", 443), at("1.1.1.1", 22), at("10.0.0.1", 80)];
    const answers = [];
    for (const { host, port } of tried) answers.push(await connects(net, host, port));
    expect(answers).toEqual([true, false, true, false, false]);
  });

  it("lets addresses through that an allowed name resolved to, private ones only when the rule says so", async () => {
    const names = { "db.example.com": ["93.184.216.34", "10.0.0.5"], db: ["10.0.0.6"], "other.com": ["93.184.216.35"] };
    const policy: SocketPolicy = {
      allow: [
        { host: "*.example.com", ports: [5432] },
        { host: "db", ports: [5432], privateAddresses: true },
      ],
    };
    const net = policySockets(policy, network(names));
    expect(await connects(net, "93.184.216.34", 5432)).toBe(false);
    expect(await net.resolve("DB.example.com.")).toEqual([]);
    expect(await net.resolve("db.example.com")).toEqual([{ family: "ipv4", host: "93.184.216.34" }]);
    expect(await net.resolve("db")).toHaveLength(1);
    await expect(net.resolve("other.com")).rejects.toMatchObject(denied);
    const answers = [];
    for (const host of ["93.184.216.34", "10.0.0.5", "10.0.0.6", "93.184.216.35"])
      answers.push(await connects(net, host, 5432));
    expect(answers).toEqual([true, false, true, false]);
    expect(await connects(net, "93.184.216.34", 80)).toBe(false);
  });

  it("lets ports be listened on that it names", () => {
    const net = policySockets({ allow: [], listen: [80] }, network());
    const bound = (port: number): (() => void) => {
      const handle = net.tcp("ipv4");
      handle.bind(at("0.0.0.0", port));
      return () => handle.listen(1, () => undefined);
    };
    expect(bound(80)).not.toThrow();
    expect(bound(81)).toThrow(expect.objectContaining(denied));
  });
});

describe("addresses", () => {
  it.each(["1.2.3.4", "::1", "::", "2001:db8::1", "fe80::1:2:3", "1:2:3:4:5:6:7:8", "1::8", "::ffff:7f00:1"])(
    "%s there and back",
    (host) => {
      expect(addressOf(wasiAddress(at(host, 7)))).toEqual(at(host, 7));
    },
  );

  it("reads the form with an IPv4 address at the end, and zones", () => {
    expect(wasiIp("ipv6", "::ffff:127.0.0.1").val).toEqual([0, 0, 0, 0, 0, 0xffff, 0x7f00, 1]);
    expect(wasiIp("ipv6", "fe80::1%eth0").val).toEqual([0xfe80, 0, 0, 0, 0, 0, 0, 1]);
  });

  it("knows which can be used, and sent to", () => {
    const usable = (host: string, port = 1): readonly boolean[] => {
      const address = wasiAddress(at(host, port));
      return [isUsable(address, address.tag), isRemote(address, address.tag)];
    };
    expect(usable("1.2.3.4")).toEqual([true, true]);
    expect(usable("0.0.0.0")).toEqual([true, false]);
    expect(usable("1.2.3.4", 0)).toEqual([true, false]);
    for (const host of ["224.0.0.1", "255.255.255.255", "ff02::1", "::ffff:1.2.3.4"])
      expect(usable(host)).toEqual([false, false]);
    expect(isUsable(wasiAddress(at("::1", 1)), "ipv4")).toBe(false);
  });
});
