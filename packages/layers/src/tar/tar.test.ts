// The codec on its own bytes: round trips, every header form we write, and hostile headers, each by what it must not do.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { errorCode, fromBytes, toBytes, type FileType } from "@lapstrake/base";
import { MAX_TAR_TRAILER_BYTES } from "../limits.ts";
import { BytesContent } from "../tree/content.ts";
import type { LayerEntry } from "../tree/entries.ts";
import { TarParser, parseTar, type TarOptions } from "./parser.ts";
import type { TarMember } from "./member.ts";
import { formatPaxTime, parsePaxTime } from "./numbers.ts";
import { writeTar } from "./writer.ts";

interface Read {
  readonly member: TarMember;
  data: string;
}

function read(bytes: Uint8Array, options: TarOptions & { readonly step?: number } = {}): Read[] {
  const out: Read[] = [];
  const sink = {
    member: (member: TarMember) => void out.push({ member, data: "" }),
    data: (chunk: Uint8Array, position: number) => {
      const last = out.at(-1)!;
      last.data = last.data.padEnd(position, "\0").slice(0, position) + fromBytes(chunk);
    },
    end: () => undefined,
  };
  if (options.step === undefined) parseTar(bytes, sink, options);
  else {
    const parser = new TarParser(sink, options);
    for (let at = 0; at < bytes.length; at += options.step) parser.push(bytes.subarray(at, at + options.step));
    parser.finish();
  }
  return out;
}

function concat(chunks: Iterable<Uint8Array>): Uint8Array {
  return toBytes([...chunks].map((chunk) => fromBytes(chunk)).join(""));
}

function entry(fields: Partial<LayerEntry> = {}): LayerEntry {
  const content = fields.content ?? new BytesContent(new Uint8Array(0));
  return {
    path: "f",
    type: "file",
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtimeSec: 0,
    mtimeNsec: 0,
    target: "",
    rdevMajor: 0,
    rdevMinor: 0,
    xattrs: undefined,
    ...fields,
    content,
    size: content.size,
  };
}

/** A header by hand: fields at their offsets, checksum computed. */
function header(fields: Readonly<Record<number, string>>): Uint8Array {
  const block = new Uint8Array(512);
  const put = (at: number, text: string): void => block.set(toBytes(text), at);
  put(0, "name");
  put(100, "0000644\0");
  put(124, "00000000000\0");
  put(136, "00000000000\0");
  put(156, "0");
  put(257, "ustar\u000000");
  for (const [at, text] of Object.entries(fields)) put(Number(at), at === "0" ? text.padEnd(100, "\0") : text);
  put(148, "        ");
  put(
    148,
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
  );
  return block;
}

function archive(...blocks: Uint8Array[]): Uint8Array {
  return concat([...blocks, new Uint8Array(1024)]);
}

function paxBlocks(body: string, flag = "x"): Uint8Array {
  const padded = new Uint8Array(Math.ceil(body.length / 512) * 512);
  padded.set(toBytes(body));
  return concat([header({ 124: `${body.length.toString(8).padStart(11, "0")}\0`, 156: flag }), padded]);
}

function record(key: string, value: string): string {
  for (let length = key.length + value.length + 3; ; length++) {
    const text = `${length} ${key}=${value}\n`;
    if (text.length === length) return text;
  }
}

function outcome(bytes: Uint8Array): string {
  try {
    read(bytes);
    return "ok";
  } catch (error) {
    return errorCode(error) ?? String(error);
  }
}

const byteString = (maxLength: number): fc.Arbitrary<string> =>
  fc.array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength }).map((codes) => String.fromCharCode(...codes));
const pathArbitrary = fc
  .array(
    byteString(120).map((part) => part.replaceAll("/", "-")),
    { minLength: 1, maxLength: 4 },
  )
  .map((parts) => parts.join("/"));

describe("tar", () => {
  it("reads back what it wrote, in one piece or in any chunks", () => {
    const arbitrary = fc.record({
      path: pathArbitrary,
      type: fc.constantFrom<FileType>("file", "dir", "symlink", "char", "block", "fifo"),
      mode: fc.nat({ max: 0o7777 }),
      uid: fc.nat({ max: 2 ** 31 }),
      gid: fc.nat({ max: 2 ** 31 }),
      mtimeSec: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
      mtimeNsec: fc.nat({ max: 999_999_999 }),
      data: byteString(2000),
      attribute: byteString(50),
      step: fc.integer({ min: 1, max: 3000 }),
    });
    fc.assert(
      fc.property(arbitrary, ({ data, attribute, step, ...fields }) => {
        const isFile = fields.type === "file";
        const isDevice = fields.type === "char" || fields.type === "block";
        const written = entry({
          ...fields,
          target: fields.type === "symlink" ? data.slice(0, 200) : "",
          rdevMajor: isDevice ? 5 : 0,
          rdevMinor: isDevice ? 300 : 0,
          xattrs: new Map([["user.x", toBytes(attribute)]]),
          content: new BytesContent(isFile ? toBytes(data) : new Uint8Array(0)),
        });
        const bytes = concat(writeTar([written]));
        const [got] = read(bytes, { step });
        const { content: _content, path, ...rest } = written;
        expect(got!.member).toMatchObject({ ...rest, path: fields.type === "dir" ? `${path}/` : path });
        expect(got!.data).toBe(isFile ? data : "");
        expect(read(bytes)).toEqual(read(bytes, { step }));
      }),
      { numRuns: 300 },
    );
  });

  it("writes plain ustar where ustar can say it", () => {
    const bytes = concat(writeTar([entry({ path: "a/b", content: new BytesContent(toBytes("hi")) })]));
    expect(bytes.length).toBe(512 + 512 + 1024);
    expect(fromBytes(bytes, 257, 265)).toBe("ustar\u000000");
  });

  it("round-trips PAX times, before 1970 too", () => {
    expect(parsePaxTime("-1.5")).toEqual({ sec: -2, nsec: 500_000_000 });
    const time = fc.record({ sec: fc.integer({ min: -1e12, max: 1e12 }), nsec: fc.nat({ max: 999_999_999 }) });
    fc.assert(
      fc.property(time, (value) => {
        expect(parsePaxTime(formatPaxTime(value))).toEqual(value);
      }),
    );
  });

  it("reads v7 directories, base-256 numbers and negative times", () => {
    const base256 = "\u0080" + "\0".repeat(3) + "\0\u002d\u00c6\u00c0";
    const negative = "\u00ff".repeat(11) + "\u00fe";
    const [first, second] = read(
      archive(header({ 0: "dir/", 156: "\0", 257: "\0".repeat(8) }), header({ 108: base256, 136: negative })),
    );
    expect(first!.member).toMatchObject({ type: "dir", path: "dir/" });
    expect(second!.member).toMatchObject({ uid: 3_000_000, mtimeSec: -2 });
  });

  it("takes GNU long names and links, and global PAX records", () => {
    const long = "n".repeat(300);
    const blocks = [
      paxBlocks(record("uid", "77"), "g"),
      paxBlocks(`${long}\0`, "L"),
      paxBlocks(`${long}\0`, "K"),
      header({ 156: "2" }),
      header({ 0: "next" }),
    ];
    const [first, second] = read(archive(...blocks));
    expect(first!.member).toMatchObject({ path: long, target: long, type: "symlink", uid: 77 });
    expect(second!.member).toMatchObject({ path: "next", uid: 77 });
  });

  it("reads LIBARCHIVE attributes as bytes", () => {
    const [only] = read(archive(paxBlocks(record("LIBARCHIVE.xattr.user.a%3Db", "/wA=")), header({})));
    expect([...only!.member.xattrs!]).toEqual([["user.a=b", new Uint8Array([0xff, 0])]]);
  });

  it("expands old GNU sparse members", () => {
    const map = "00000001000\0" + "00000000003\0" + "00000002000\0" + "00000000000\0";
    const sparse = header({ 156: "S", 124: "00000000003\0", 257: "ustar  \0", 386: map, 483: "00000002000\0" });
    const [only] = read(archive(sparse, concat([toBytes("abc"), new Uint8Array(509)])));
    expect(only!.member.size).toBe(1024);
    expect(only!.data).toBe("\0".repeat(512) + "abc");
  });

  it.each([
    ["0.0", record("GNU.sparse.size", "20") + record("GNU.sparse.offset", "10") + record("GNU.sparse.numbytes", "3")],
    ["0.1", record("GNU.sparse.size", "20") + record("GNU.sparse.map", "10,3") + record("GNU.sparse.name", "real")],
  ])("expands PAX sparse %s", (_version, records) => {
    const [only] = read(
      archive(paxBlocks(records), header({ 124: "00000000003\0" }), concat([toBytes("abc"), new Uint8Array(509)])),
    );
    expect([only!.member.size, only!.data]).toEqual([20, "\0".repeat(10) + "abc"]);
  });

  it("expands PAX sparse 1.0", () => {
    const records =
      record("GNU.sparse.major", "1") +
      record("GNU.sparse.minor", "0") +
      record("GNU.sparse.realsize", "20") +
      record("GNU.sparse.name", "real");
    const map = concat([toBytes("1\n10\n3\n"), new Uint8Array(505)]);
    const [only] = read(
      archive(paxBlocks(records), header({ 124: "00000001003\0" }), map, concat([toBytes("abc"), new Uint8Array(509)])),
    );
    expect([only!.member.path, only!.member.size, only!.data]).toEqual(["real", 20, "\0".repeat(10) + "abc"]);
  });

  it("stops at the end mark, or goes on into the next archive when asked", () => {
    const two = concat([archive(header({ 0: "one" })), archive(header({ 0: "two" }))]);
    expect(read(two).map(({ member }) => member.path)).toEqual(["one"]);
    expect(read(two, { concatenated: true }).map(({ member }) => member.path)).toEqual(["one", "two"]);
    expect(read(concat([header({ 0: "bare" })]))).toHaveLength(1);
    expect(read(new Uint8Array(0))).toEqual([]);
  });

  it("ignores what follows the end mark, up to a limit", () => {
    const parser = new TarParser({ member() {}, data() {}, end() {} });
    const zeros = new Uint8Array(2 ** 24);
    parser.push(new Uint8Array(1024));
    for (let left = MAX_TAR_TRAILER_BYTES; left > 0; left -= zeros.length) parser.push(zeros);
    parser.finish();
    expect(() => parser.push(new Uint8Array(1))).toThrow("behind its end");
  });
});

describe("hostile tar", () => {
  it.each<[string, Uint8Array, string]>([
    ["a wrong checksum", header({}).fill(0x41, 20, 30), "ERR_LAP_TAR_INVALID"],
    ["a cut header", header({}).subarray(0, 300), "ERR_LAP_TAR_TRUNCATED"],
    ["cut data", header({ 124: "00000001000\0" }), "ERR_LAP_TAR_TRUNCATED"],
    ["an extended header without member", paxBlocks(record("path", "x")), "ERR_LAP_TAR_TRUNCATED"],
    ["a negative size", header({ 124: "\u00ff".repeat(12) }), "ERR_LAP_TAR_INVALID"],
    [
      "a size beyond any disk",
      header({ 124: "\u0080" + "\0".repeat(5) + "\u0020" + "\0".repeat(5) }),
      "ERR_LAP_TAR_LIMIT",
    ],
    ["a size that is no number", header({ 124: "00000000xyz\0" }), "ERR_LAP_TAR_INVALID"],
    ["a huge PAX header", header({ 124: "00010000000\0", 156: "x" }), "ERR_LAP_TAR_LIMIT"],
    ["a PAX length that lies", archive(paxBlocks("999 path=x\n"), header({})), "ERR_LAP_TAR_INVALID"],
    ["a NUL in a PAX path", archive(paxBlocks(record("path", "a\0b")), header({})), "ERR_LAP_TAR_INVALID"],
    ["a negative PAX size", archive(paxBlocks(record("size", "-1")), header({})), "ERR_LAP_TAR_INVALID"],
    ["a negative uid", archive(paxBlocks(record("uid", "-5")), header({})), "ERR_LAP_TAR_INVALID"],
    ["an unknown type", archive(header({ 156: "Q" })), "ERR_LAP_TAR_UNSUPPORTED"],
    ["a multi-volume member", archive(header({ 156: "M" })), "ERR_LAP_TAR_UNSUPPORTED"],
    [
      "a sparse map that overlaps",
      archive(
        paxBlocks(record("GNU.sparse.size", "9") + record("GNU.sparse.map", "0,2,1,2")),
        header({ 124: "00000000004\0" }),
      ),
      "ERR_LAP_TAR_INVALID",
    ],
    [
      "a sparse map outside the file",
      archive(
        paxBlocks(record("GNU.sparse.size", "9") + record("GNU.sparse.map", "8,4")),
        header({ 124: "00000000004\0" }),
      ),
      "ERR_LAP_TAR_INVALID",
    ],
    [
      "a sparse file beyond any disk",
      archive(paxBlocks(record("GNU.sparse.size", "9007199254740000") + record("GNU.sparse.map", "0,0")), header({})),
      "ERR_LAP_TAR_LIMIT",
    ],
  ])("refuses %s", (_what, bytes, code) => {
    expect(() => read(bytes)).toThrow(expect.objectContaining({ code }));
    expect(() => read(bytes, { step: 7 })).toThrow(expect.objectContaining({ code }));
  });

  it("never fails with anything but its own error, whatever the bytes", () => {
    const good = concat(
      writeTar([
        entry({
          path: "p".repeat(200),
          xattrs: new Map([["user.a", toBytes("b")]]),
          content: new BytesContent(toBytes("data")),
        }),
      ]),
    );
    const flips = fc.array(fc.record({ at: fc.nat({ max: good.length - 1 }), to: fc.nat({ max: 255 }) }), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(flips, fc.nat({ max: good.length }), (changes, length) => {
        const bytes = good.slice(0, length);
        for (const { at, to } of changes) if (at < length) bytes[at] = to;
        expect(outcome(bytes)).toMatch(/^(?:ok|ERR_LAP_TAR_\w+)$/);
      }),
      { numRuns: 500 },
    );
  });
});
