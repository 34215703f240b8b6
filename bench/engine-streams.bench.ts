// Bytes through the command line: 1 GiB into a container's standard input, 64 MiB out of its standard output. Both are compared.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { engineVariant, openEngines, type BenchEngine } from "./engines.ts";
import type { OpenSuite } from "./main.ts";

const MIB = 1024 * 1024;
const IN_BYTES = 1024 * MIB;
const OUT_BYTES = 64 * MIB;
const BLOCK = Buffer.alloc(MIB, Buffer.from(Array.from({ length: 251 }, (_, index) => index)));

/** One mebibyte after another until `bytes`, with backpressure. */
async function feed(stdin: NodeJS.WritableStream, bytes: number): Promise<void> {
  for (let sent = 0; sent < bytes; sent += BLOCK.length) {
    if (!stdin.write(BLOCK)) await new Promise((resolve) => void stdin.once("drain", resolve));
  }
  stdin.end();
}

async function pass(engine: BenchEngine, args: readonly string[], bytes: number): Promise<{ ms: number; sum: string }> {
  const [program, ...before] = engine.command;
  const started = performance.now();
  const child = spawn(program, [...before, "run", ...engine.runFlags, "--rm", "-i", engine.image, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const hash = createHash("sha1");
  child.stdout.on("data", (chunk: Buffer) => void hash.update(chunk));
  const ended = new Promise<number | null>((resolve) => void child.once("close", (code) => void resolve(code)));
  await feed(child.stdin, bytes);
  if ((await ended) !== 0) throw new Error(`${engine.name} failed`);
  return { ms: performance.now() - started, sum: hash.digest("hex") };
}

function sumOf(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}

/** What comes out of `cat`. */
function sumOfBlocks(bytes: number): string {
  const hash = createHash("sha1");
  for (let sent = 0; sent < bytes; sent += BLOCK.length) hash.update(BLOCK);
  return hash.digest("hex");
}

/** Opens the engines that work here. */
export function open(): Promise<OpenSuite> {
  const engines = openEngines();
  const counted = sumOf(`${IN_BYTES}\n`);
  const copied = sumOfBlocks(OUT_BYTES);
  const check = ({ ms, sum }: { ms: number; sum: string }, wanted: string): number => {
    if (sum !== wanted) throw new Error("bytes were lost or changed on the way");
    return ms;
  };
  const suite = {
    title: "1 GiB in, 64 MiB in and out again",
    reference: "docker in",
    rounds: 3,
    warmup: 1,
    variants: engines.all.flatMap((engine) => [
      engineVariant(engine, `${engine.name} in`, async () =>
        check(await pass(engine, ["/bin/sh", "-c", "cat | wc -c"], IN_BYTES), counted),
      ),
      engineVariant(engine, `${engine.name} out`, async () =>
        check(await pass(engine, ["/bin/cat"], OUT_BYTES), copied),
      ),
    ]),
    thresholds: ["in", "out"].map((way) => ({ subject: `lap ${way}`, reference: `docker ${way}`, atMost: 1 })),
  };
  return Promise.resolve({ suite, [Symbol.asyncDispose]: () => engines[Symbol.asyncDispose]() });
}
