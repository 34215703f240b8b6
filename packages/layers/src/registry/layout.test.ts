// OCI layouts in memory as ends of a copy.
import type { DirFs } from "@lapstrake/base";
import { expect, test } from "vitest";
import { dirFsOf } from "../fs/inode-dirfs.ts";
import { UnionFs } from "../fs/union-fs.ts";
import { nodeHash } from "../node/ports.ts";
import { LayoutSink, layoutSource } from "./layout.ts";
import { FakeRegistry } from "./testing/fake-registry.ts";
import { codeOf, fakeClient, memoryImage, utf8 } from "./testing/setup.ts";

const one = memoryImage([utf8("one")]);
const two = memoryImage([utf8("two")]);
const { client } = fakeClient(new FakeRegistry());

function folder(): DirFs {
  return dirFsOf(UnionFs.create([]));
}

function names(dir: DirFs, path = ""): string[] {
  return dir
    .readdir(path)
    .map(({ name }) => name)
    .toSorted();
}

test("a layout is nothing but a layout afterwards, and holds images by name", async () => {
  const dir = folder();
  await client.copy(one, new LayoutSink(dir, nodeHash, "one"));
  await client.copy(two, new LayoutSink(dir, nodeHash, "two"));
  expect([names(dir), names(dir, "blobs")]).toEqual([["blobs", "index.json", "oci-layout"], ["sha256"]]);
  expect(layoutSource(dir, nodeHash, "one").root).toEqual(one.root);
  expect(() => layoutSource(dir, nodeHash)).toThrow("several images");
  expect(() => layoutSource(dir, nodeHash, "three")).toThrow(`no image "three"`);
  await client.copy(two, new LayoutSink(dir, nodeHash, "one"));
  expect(layoutSource(dir, nodeHash, "one").root).toEqual(two.root);
});

test("without a name, the same image is listed once", async () => {
  const dir = folder();
  await client.copy(one, new LayoutSink(dir, nodeHash));
  await client.copy(one, new LayoutSink(dir, nodeHash));
  expect(layoutSource(dir, nodeHash).root).toEqual(one.root);
});

test("a copy that breaks is not listed", async () => {
  const dir = folder();
  const broken = { ...one, blob: () => two.blob(two.blobs[0]!, {}) };
  expect(await codeOf(client.copy(broken, new LayoutSink(dir, nodeHash, "one")))).not.toBe("no error");
  expect(() => layoutSource(dir, nodeHash, "one")).toThrow("no image");
});

test("changed, short and missing blobs of a layout do not leave it", async () => {
  const { digest } = one.blobs[1]!;
  const path = `blobs/sha256/${digest.slice(7)}`;
  for (const [bytes, code] of [
    [utf8("eno"), "ERR_LAP_DIGEST_MISMATCH"],
    [utf8("on"), "ERR_LAP_DIGEST_MISMATCH"],
    [undefined, "ERR_LAP_BLOB_MISSING"],
  ] as const) {
    const dir = folder();
    await client.copy(one, new LayoutSink(dir, nodeHash));
    dir.unlink(path);
    if (bytes !== undefined) {
      using file = dir.open(path, { write: true, create: true });
      file.write(bytes, 0, bytes.length, 0);
    }
    const http = new FakeRegistry();
    expect(await codeOf(fakeClient(http).client.copy(layoutSource(dir, nodeHash), "registry.test/x:1"))).toBe(code);
    expect(http.tags.size).toBe(0);
  }
});
