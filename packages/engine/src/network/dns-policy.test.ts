// Explains dns-message.ts, dns-zone.ts and dns-policy.ts together: what a client asks and what it gets.
import fc from "fast-check";
import { expect, test } from "vitest";
import { answersQuery, decodeQuery, encodeName, MAX_UDP, RCODE, TYPE } from "./dns-message.ts";
import { decide, type DnsContext } from "./dns-policy.ts";
import type { Zone } from "./dns-zone.ts";

const ZONE: Zone = {
  network: "mynet",
  members: [
    { names: ["web", "www", "0123456789ab"], addresses: ["172.18.0.2", "fd00::2"] },
    { names: ["api-1", "api"], addresses: ["172.18.0.3"] },
    { names: ["api-2", "api"], addresses: ["172.18.0.4"] },
  ],
  fixed: { "host.docker.internal": ["172.18.0.1"] },
};
const CONTEXT: DnsContext = { zones: [ZONE], forwards: true, maxBytes: MAX_UDP, turn: 0 };

function ask(name: string, type: number, flags = 0x0100, cls = 1): Uint8Array {
  const header = [0xab, 0xcd, flags >> 8, flags & 0xff, 0, 1, 0, 0, 0, 0, 0, 0];
  return Uint8Array.from([...header, ...encodeName(name), type >> 8, type & 0xff, cls >> 8, cls & 0xff]);
}

interface Reply {
  readonly rcode: number;
  readonly truncated: boolean;
  readonly answers: readonly string[];
}

/** Reads our replies with nothing of ours: counts, then records that begin with a pointer. */
function read(bytes: Uint8Array, query: Uint8Array): Reply {
  const data = Buffer.from(bytes);
  expect(data.readUInt16BE(0)).toBe(0xabcd);
  expect(data.readUInt16BE(2) & 0x8000).toBe(0x8000);
  const answers: string[] = [];
  let at = query.length;
  for (let i = 0; i < data.readUInt16BE(6); i++) {
    const length = data.readUInt16BE(at + 10);
    expect(data.readUInt16BE(at)).toBe(0xc00c);
    answers.push(`${data.readUInt16BE(at + 2)}:${data.subarray(at + 12, at + 12 + length).toString("hex")}`);
    at += 12 + length;
  }
  expect(at).toBe(data.length);
  return { rcode: data.readUInt16BE(2) & 0xf, truncated: (data.readUInt16BE(2) & 0x0200) !== 0, answers };
}

function reply(name: string, type: number, context: DnsContext = CONTEXT): Reply | "forward" | undefined {
  const query = ask(name, type);
  const action = decide(query, context);
  return action?.kind === "reply" ? read(action.bytes, query) : action?.kind;
}

test("names, aliases and ids answer with addresses of the asked family, whatever the case and suffix", () => {
  for (const name of ["web", "WWW", "0123456789ab", "web.mynet", "Web.MyNet"]) {
    expect(reply(name, TYPE.A)).toEqual({ rcode: 0, truncated: false, answers: ["1:ac120002"] });
    expect(reply(name, TYPE.AAAA)).toMatchObject({ answers: ["28:fd000000000000000000000000000002"] });
  }
  expect(reply("web", TYPE.ANY)).toMatchObject({
    answers: [expect.stringMatching(/^1:/), expect.stringMatching(/^28:/)],
  });
  expect(reply("host.docker.internal", TYPE.A)).toMatchObject({ answers: ["1:ac120001"] });
});

test("a known name without such a record exists, and is not asked for outside", () => {
  expect(reply("api-1", TYPE.AAAA)).toEqual({ rcode: RCODE.noError, truncated: false, answers: [] });
  expect(reply("web", 15)).toMatchObject({ rcode: RCODE.noError, answers: [] });
});

test("several members of one name take turns", () => {
  const first = (turn: number): string | undefined => (reply("api", TYPE.A, { ...CONTEXT, turn }) as Reply).answers[0];
  expect([first(0), first(1), first(2)]).toEqual(["1:ac120003", "1:ac120004", "1:ac120003"]);
});

test("an address answers with the first name and the network", () => {
  const name = `9:${Buffer.from(encodeName("web.mynet")).toString("hex")}`.slice(2);
  expect(reply("2.0.18.172.in-addr.arpa", TYPE.PTR)).toMatchObject({ answers: [`12:${name}`] });
  const six = "fd000000000000000000000000000002".split("").toReversed().join(".");
  expect(reply(`${six}.ip6.arpa`, TYPE.PTR)).toMatchObject({ answers: [`12:${name}`] });
  for (const other of ["9.0.18.172.in-addr.arpa", "999.0.18.172.in-addr.arpa", "web"])
    expect(reply(other, TYPE.PTR)).toBe("forward");
});

test("the rest is forwarded, or does not exist where nothing leaves", () => {
  expect(reply("example.org", TYPE.A)).toBe("forward");
  expect(reply("web.othernet", TYPE.A)).toBe("forward");
  expect(reply("example.org", TYPE.A, { ...CONTEXT, forwards: false })).toMatchObject({ rcode: RCODE.nameError });
  expect(reply("web", TYPE.A, { ...CONTEXT, forwards: false })).toMatchObject({ answers: ["1:ac120002"] });
});

test("what does not fit over UDP is cut and says so, and is whole over TCP", () => {
  const many = Array.from({ length: 60 }, (_, i) => ({ names: ["many"], addresses: [`10.0.0.${i}`] }));
  const context = { ...CONTEXT, zones: [{ network: "n", members: many }] };
  const cut = reply("many", TYPE.A, context) as Reply;
  expect(cut.truncated).toBe(true);
  expect(cut.answers.length).toBeGreaterThan(20);
  expect(reply("many", TYPE.A, { ...context, maxBytes: 65_535 })).toMatchObject({
    truncated: false,
    answers: { length: 60 },
  });
});

test("noise gets a format error or silence, never an exception, and responses are never answered", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (noise) => {
      const action = decide(new Uint8Array(noise), CONTEXT);
      if (noise.length < 12 || (noise[2]! & 0x80) !== 0) expect(action).toBeUndefined();
      else if (action?.kind === "reply") expect(action.bytes[2]! & 0x80).toBe(0x80);
    }),
    { numRuns: 2000 },
  );
  expect(decide(ask("web", TYPE.A, 0x8100), CONTEXT)).toBeUndefined();
  const looped = ask("web", TYPE.A).with(12, 0xc0);
  expect(decide(looped, CONTEXT)).toMatchObject({
    kind: "reply",
    bytes: expect.objectContaining({ 3: 0x80 | RCODE.formatError }) as unknown,
  });
  expect(decide(ask("web", TYPE.A, 0x2800), CONTEXT)).toMatchObject({ kind: "reply" });
});

test("queries decode to what was asked", () => {
  const label = fc.stringMatching(/^[a-z0-9_-]{1,63}$/);
  fc.assert(
    fc.property(fc.array(label, { maxLength: 3 }), fc.nat(0xffff), fc.boolean(), (labels, type, desired) => {
      const name = labels.join(".");
      const bytes = ask(name, type, desired ? 0x0100 : 0);
      const query = decodeQuery(bytes);
      expect(query).toMatchObject({ id: 0xabcd, opcode: 0, recursionDesired: desired, name, type, class: 1 });
      expect(query.questionEnd).toBe(bytes.length);
    }),
  );
});

test("an answer from upstream must be to the question that was asked", () => {
  const query = ask("example.org", TYPE.A);
  const end = query.length;
  const answer = Uint8Array.from(query).with(2, 0x81);
  expect(answersQuery(query, end, answer)).toBe(true);
  expect(answersQuery(query, end, query)).toBe(false);
  expect(answersQuery(query, end, answer.with(0, 1))).toBe(false);
  expect(answersQuery(query, end, ask("example.com", TYPE.A).with(2, 0x81))).toBe(false);
  expect(answersQuery(query, end, answer.subarray(0, 14))).toBe(false);
});
