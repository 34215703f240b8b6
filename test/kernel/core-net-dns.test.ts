// The resolver of a container, asked from inside its namespace by a resolver that is not ours (c-ares); upstream is a server of the
// test's own on loopback.
import { createSocket, type Socket } from "node:dgram";
import { raiseLoopback } from "@lapstrake/core";
import { startDns, type DnsServer, type DnsSource, type Member, type Upstream } from "@lapstrake/engine";
import { afterEach, beforeEach, expect } from "vitest";
import { needs } from "../support/facts.ts";
import { openSpace, type Space } from "./core-net-spaces.ts";
import { dnsReply } from "./core-net-upstream.ts";

const WEB: Member = { names: ["web", "www"], addresses: ["172.18.0.2", "fd00::2"] };
const FACTS = ["linux", "root", "command:unshare"] as const;

let box: Space, upstream: Socket, dns: DnsServer;
let members: Member[];
let forwards: boolean;
let asked: number;

/** Answers every A question; first with a forgery that must not count. */
function answer(query: Buffer, port: number, address: string): void {
  asked++;
  const reply = dnsReply(query);
  const forged = Buffer.from(reply);
  forged.writeUInt16BE(reply.readUInt16BE(0) ^ 1, 0);
  upstream.send(forged, port, address);
  upstream.send(reply, port, address);
}

const source: DnsSource = {
  zones: () => [{ network: "mynet", members }],
  forwards: () => forwards,
  upstreams: () => upstreams(),
};
const deadFirst = (): readonly Upstream[] => [
  { address: "127.0.0.1", port: 1 },
  { address: "127.0.0.1", port: upstream.address().port },
];
let upstreams = deadFirst;

needs(...FACTS).describe("the resolver of a container", () => {
  const { test } = needs(...FACTS);
  beforeEach(async () => {
    [members, forwards, asked, upstreams] = [[WEB], true, 0, deadFirst];
    upstream = createSocket("udp4").on("message", (query, from) => answer(query, from.port, from.address));
    await new Promise<void>((resolve) => upstream.bind(0, "127.0.0.1", resolve));
    box = await openSpace();
    raiseLoopback({ fd: box.fd });
    dns = await startDns({ pid: box.pid }, source);
  });
  afterEach(async () => {
    await dns?.[Symbol.asyncDispose]();
    upstream?.close();
    box?.[Symbol.dispose]();
  });

  test("names of the network, both families and back, at once when a member comes", async () => {
    expect(await box.resolve("web", "A")).toBe("172.18.0.2");
    expect(await box.resolve("www.mynet", "AAAA")).toBe("fd00::2");
    expect(await box.resolve("2.0.18.172.in-addr.arpa", "PTR")).toBe("web.mynet");
    members.push({ names: ["late"], addresses: ["172.18.0.9"] });
    expect(await box.resolve("late", "A")).toBe("172.18.0.9");
    expect(await box.resolve("late", "AAAA")).toBe("ENODATA");
    expect(asked).toBe(0);
  });

  test("more answers than a datagram holds come over TCP", async () => {
    members.push(...Array.from({ length: 90 }, (_, i) => ({ names: ["many"], addresses: [`10.0.0.${i}`] })));
    expect((await box.resolve("many", "A")).split(" ")).toHaveLength(90);
  });

  test("other names go to the host's resolvers, past one that is dead and an answer that is forged", async () => {
    expect(await box.resolve("example.org", "A")).toBe("192.0.2.7");
    expect(asked).toBe(1);
  });

  test("a resolver that refuses is not the last word while another answers", async () => {
    const refusing = createSocket("udp4").on("message", (query, from) => {
      const reply = Buffer.from(query);
      reply.writeUInt16BE(0x8185, 2);
      refusing.send(reply, from.port, from.address);
    });
    await new Promise<void>((resolve) => refusing.bind(0, "127.0.0.1", resolve));
    const { port } = refusing.address();
    upstreams = () => [
      { address: "127.0.0.1", port },
      { address: "127.0.0.1", port: upstream.address().port },
    ];
    expect(await box.resolve("example.org", "A")).toBe("192.0.2.7");
    upstreams = () => [{ address: "127.0.0.1", port }];
    expect(await box.resolve("example.org", "A")).toBe("EREFUSED");
    refusing.close();
  });

  test("an internal network forwards nothing", async () => {
    forwards = false;
    expect(await box.resolve("example.org", "A")).toBe("ENOTFOUND");
    expect(await box.resolve("web", "A")).toBe("172.18.0.2");
    expect(asked).toBe(0);
  });

  test("port 53 stays free for the container, and nothing answers once the resolver stopped", async () => {
    expect(await box.listen("udp", "0.0.0.0", 53, "own")).toBe("listening");
    expect(await box.listen("tcp", "0.0.0.0", 53, "own")).toBe("listening");
    expect(await box.resolve("web", "A")).toBe("172.18.0.2");
    await dns[Symbol.asyncDispose]();
    expect(await box.resolve("web", "A")).toBe("ECONNREFUSED");
  });
});
