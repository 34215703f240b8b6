// The second example of `pnpm pack:check`: a program that uses the installed engine as a library. A store in memory, which needs neither
// root nor Linux: a box, a guest of three instructions, its fork, a snapshot. With a folder as argument, which needs root, also a
// container of this machine over the machine's own files.
import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { LapError } from "@lapstrake/base";
import { open, ProcessError } from "@lapstrake/engine";

/** `proc_exit(3)` of WASI. */
const EXITS_WITH_3 =
  "AGFzbQEAAAABCAJgAX8AYAAAAiQBFndhc2lfc25hcHNob3RfcHJldmlldzEJcHJvY19leGl0AAADAgEBBQMBAAEHEwIGbWVtb3J5AgAGX3N0YXJ0AAEKCAEGAEEDEAAL";

async function inMemory() {
  await using store = await open({ memory: true });
  await using box = await store.box("scratch");
  await box.fs.mkdir("/bin");
  await box.fs.writeFile("/bin/three", Buffer.from(EXITS_WITH_3, "base64"), { mode: 0o755 });
  assert.equal((await box.exec(["three"])).exitCode, 3);
  await assert.rejects(box.exec(["three"], { check: true }), ProcessError);
  const words = "it's quoted";
  assert.equal(await box.$`echo ${words} >/said; read -r line </said; echo "$line"`.text(), words);
  await using fork = await box.fork();
  await fork.fs.writeFile("/said", "otherwise");
  assert.equal(await text(box.fs.createReadStream("/said")), `${words}\n`);
  const { image } = await fork.snapshot({ name: "kept:1" });
  assert.equal((await store.run(image, ["three"])).exitCode, 3);
  await assert.rejects(box.start(), LapError);
}

async function onThisMachine(root) {
  await using store = await open({ root });
  assert.equal(await store.run("host", ["cat", "/proc/1/comm"], { network: "none" }).text(), "cat");
  await using box = await store.box("host", { command: ["sleep", "60"], network: "none" });
  await box.fs.writeFile("/only-here", "x");
  assert.equal((await box.exec(["cat", "/only-here"])).stdout, "x");
}

await inMemory();
if (process.argv[2] !== undefined) await onThisMachine(process.argv[2]);
