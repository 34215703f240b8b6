// Reading the base layer of the Debian fixture (about 200 MB): members only, ours against tar-stream; a full index against hashing it.
import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import tarStream from "tar-stream";
import { parseTar, treeFromTar } from "@lapstrake/layers";
import { debianFixture } from "./layers-fixture.ts";
import type { OpenSuite } from "./main.ts";

const CHUNK = 1024 * 1024;

function* chunks(bytes: Buffer): Generator<Buffer, void, undefined> {
  for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
}

async function peer(bytes: Buffer): Promise<void> {
  const extract = tarStream.extract();
  Readable.from(chunks(bytes)).pipe(extract);
  for await (const member of extract) member.resume();
}

export async function open(): Promise<OpenSuite> {
  const fixture = await debianFixture();
  const bytes = readFileSync(join(fixture, "plain.tar"));
  const pax = readFileSync(join(fixture, "base.tar"));
  const sink = { member: () => undefined, data: () => undefined, end: () => undefined };
  const quick = (run: () => unknown) => async (): Promise<void> => {
    run();
    await Promise.resolve();
  };
  return {
    suite: {
      title: "a layer of 200 MB in memory",
      reference: "ours, members",
      rounds: 11,
      warmup: 2,
      variants: [
        { name: "ours, members", run: quick(() => parseTar(bytes, sink)) },
        { name: "ours, whole tree", run: quick(() => treeFromTar(bytes)) },
        { name: "tar-stream, members", run: () => peer(bytes) },
        { name: "ours, members with PAX headers", run: quick(() => parseTar(pax, sink)) },
        { name: "tar-stream, members with PAX headers", run: () => peer(pax) },
        { name: "sha256", run: quick(() => hash("sha256", bytes, "hex")) },
      ],
      thresholds: [
        { subject: "ours, members", reference: "tar-stream, members", atMost: 1 / 3 },
        { subject: "ours, members with PAX headers", reference: "tar-stream, members with PAX headers", atMost: 1 / 3 },
        { subject: "ours, whole tree", reference: "sha256", atMost: 2 },
      ],
    },
    async [Symbol.asyncDispose]() {
      await Promise.resolve();
    },
  };
}
