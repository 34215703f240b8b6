// The helper's two parsers of foreign bytes under the address and undefined-behaviour sanitizers: mutated plans, client bytes.
// LAP_FUZZ_ROUNDS and LAP_FUZZ_SEED make it longer and other.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { compile, defaultSpec, encodePlan, hostFacts } from "@lapstrake/core";
import { nativePart, needs } from "../support/facts.ts";

const ROUNDS = Number(process.env["LAP_FUZZ_ROUNDS"] ?? "4000");
const SEED = Number(process.env["LAP_FUZZ_SEED"] ?? "20260101");
const BUILD = join(import.meta.dirname, "../../native/build.mjs");

/** xorshift32: the same inputs every time. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function mutate(bytes: Uint8Array, random: (below: number) => number): Buffer {
  const copy = Buffer.from(bytes);
  for (let edits = 1 + random(4); edits > 0; edits--) {
    const at = random(copy.length);
    if (random(3) === 0 && at + 4 <= copy.length)
      copy.writeUInt32LE([0, 1, 0xff, 0xffff, 0x7fffffff, 0xffffffff][random(6)]!, at);
    else copy[at] = random(256);
  }
  const cut = random(5) === 0 ? copy.subarray(0, random(copy.length)) : copy;
  // The total length is checked first: without mending it nothing deeper would be reached.
  if (cut.length >= 12 && random(10) > 0) cut.writeUInt32LE(cut.length, 8);
  return cut;
}

function framed(kind: "p" | "c", inputs: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    inputs.flatMap((input) => {
      const header = Buffer.alloc(5);
      header.writeUInt32LE(input.length, 0);
      header[4] = kind.charCodeAt(0);
      return [header, input];
    }),
  );
}

function feed(input: Buffer): { status: number | null; stderr: string } {
  const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0" };
  return spawnSync(nativePart("lap-fuzz"), { input, encoding: "utf8", timeout: 600_000, env });
}

needs("linux", "native", "native.cc").describe("core fuzz", () => {
  beforeAll(() => {
    const built = spawnSync(process.execPath, [BUILD, "--asan"], { encoding: "utf8", timeout: 120_000 });
    expect(built.stderr).toBe("");
  }, 120_000);

  test("mutated launch plans are refused or read, never read beyond", () => {
    const plan = compile({ spec: defaultSpec(), rootfs: { kind: "dir", path: "/nowhere" } }, hostFacts(), {
      containerDir: "/nowhere",
      id: "x",
      stdio: "pipes",
      openStdin: false,
      stdinOnce: false,
      log: null,
      reapArgv: ["/bin/true"],
      foreground: false,
      initialClient: false,
    });
    const seed = encodePlan(plan);
    const random = generator(SEED);
    const inputs = Array.from({ length: ROUNDS }, () => mutate(seed, random));
    expect(feed(framed("p", [seed, ...inputs]))).toMatchObject({ status: 0, stderr: "" });
  });

  test("whatever a client sends, the supervisor's reader stays within its buffers", () => {
    const random = generator(SEED + 77);
    const frame = (): Buffer => {
      const length = [0, 4, 64, 1000, 65_536, 70_000, 0xffffffff][random(7)]!;
      const header = Buffer.from([1 + random(11), random(8), 0, 0, 0, 0, 0, 0]);
      header.writeUInt32BE(length, 4);
      const body = Buffer.alloc(Math.min(length, 70_000), random(256));
      return Buffer.concat([header, random(4) === 0 ? body.subarray(0, random(body.length + 1)) : body]);
    };
    const inputs = Array.from({ length: ROUNDS / 8 }, () =>
      Buffer.concat(Array.from({ length: 1 + random(4) }, frame)),
    );
    expect(feed(framed("c", inputs))).toMatchObject({ status: 0, stderr: "" });
  });
});
