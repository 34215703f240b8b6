// The world of the escape table on a disk: a directory that a guest is given, links in it that lead out, and a secret beside it.
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { HARD_LINKS, jailLinks, SECRET } from "./wasm-escape.ts";

/** Makes `jail` and `outside` in a folder; gives their paths. */
export function makeJail(top: string): { readonly jail: string; readonly outside: string } {
  const [jail, outside] = [join(top, "jail"), join(top, "outside")];
  mkdirSync(join(outside, "empty"), { recursive: true });
  writeFileSync(join(outside, "secret"), SECRET);
  mkdirSync(join(jail, "a/b"), { recursive: true });
  writeFileSync(join(jail, "mine"), "mine");
  for (const [name, target] of Object.entries(jailLinks(outside))) symlinkSync(target, join(jail, name));
  for (const [name, of] of Object.entries(HARD_LINKS)) linkSync(join(jail, of), join(jail, name));
  return { jail, outside };
}

const SWAPPER = `
  const { renameSync } = require("node:fs");
  const { parentPort, workerData: at } = require("node:worker_threads");
  parentPort.postMessage("started");
  for (;;) {
    renameSync(at + "/d", at + "/t"); renameSync(at + "/l", at + "/d");
    renameSync(at + "/d", at + "/l"); renameSync(at + "/t", at + "/d");
  }`;

/** Another thread, once it runs: the jail's d is a directory with a secret of its own, then a link outside, then the directory again. */
export async function startSwapper(jail: string): Promise<AsyncDisposable> {
  mkdirSync(join(jail, "d"));
  writeFileSync(join(jail, "d/secret"), "inside");
  symlinkSync("../outside", join(jail, "l"));
  const worker = new Worker(SWAPPER, { eval: true, workerData: jail });
  await new Promise((resolve) => worker.once("message", resolve));
  return { [Symbol.asyncDispose]: async () => void (await worker.terminate()) };
}
