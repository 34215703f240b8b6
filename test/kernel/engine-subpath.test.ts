// A part of a volume (`volume-subpath`) while somebody who may write there swaps it for a link to the machine: CVE-2021-25741's
// pattern. The look before the start does not help against that; the helper's own opening does.
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execPath } from "node:process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { ended, isAlive } from "../support/processes.ts";

const SECRET = "of the machine";
/** Tries at least, and at most until it has raced. */
const RUNS = 20;
const MOST_RUNS = 200;
/** Exchanges the directory `d` and the link `l` of its folder, as quickly as the kernel can. */
const SWAPPER = `const { renameSync } = require("fs"); process.chdir(process.argv[1]); console.log("swaps");
for (;;) { renameSync("d", "x"); renameSync("l", "d"); for (let i = 0; i < 2e4; i++); renameSync("d", "l"); renameSync("x", "d"); for (let i = 0; i < 2e4; i++); }`;

needs("root", "overlayfs", "native").describe("a part of a volume", () => {
  let store: LapStore;
  let swapper: ChildProcess;
  beforeAll(async () => {
    store = new LapStore();
    store.loadPrograms();
    const outside = join(store.folder, "outside");
    const volume = join(store.root, "volumes/parts/_data");
    store.ok("volume", "create", "parts");
    for (const [folder, text] of [
      [outside, SECRET],
      [join(volume, "d"), "inside"],
    ] as const) {
      mkdirSync(join(folder, "sub"), { recursive: true });
      writeFileSync(join(folder, "sub/file"), text);
    }
    symlinkSync(outside, join(volume, "l"));
    swapper = spawn(execPath, ["-e", SWAPPER, volume], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((resolve) => swapper.stdout!.once("data", resolve));
  });
  afterAll(async () => {
    const swapped = isAlive(swapper.pid!);
    swapper.kill("SIGKILL");
    await ended(swapper);
    await store.close();
    expect(swapped).toBe(true);
  });

  const races = (idmap: string): Set<string> => {
    const seen = new Set<string>();
    for (let i = 0; i < RUNS || (seen.size < 2 && i < MOST_RUNS); i++) {
      const mount = `source=parts,target=/p,volume-subpath=d/sub${idmap}`;
      const { code, stdout } = store.run(["run", "--rm", "--mount", mount, "progs:1", "cat", "/p/file"]);
      seen.add(code === 0 ? stdout : `failed ${code}`);
    }
    return seen;
  };

  it.each([
    ["as it is", ""],
    ["with ids mapped", ",idmap"],
  ])("is never one of the machine, whatever happens between the look and the mount, %s", (_how, idmap) => {
    // It raced: some starts came through, others met the link.
    expect(races(idmap)).toEqual(new Set(["inside", "failed 125"]));
  });

  it("is never one of the machine for cp from a container that does not run", () => {
    store.ok("create", "--name", "still", "--mount", "source=parts,target=/p,volume-subpath=d/sub", "progs:1", "true");
    const local = join(store.folder, "copied");
    const seen = new Set<string>();
    for (let i = 0; i < RUNS || (seen.size < 2 && i < MOST_RUNS); i++) {
      rmSync(local, { recursive: true, force: true });
      const { code } = store.run(["cp", "still:/p/file", local]);
      seen.add(existsSync(local) ? readFileSync(local, "utf8") : `failed ${code}`);
    }
    expect(seen).toEqual(new Set(["inside", "failed 1"]));
    store.ok("rm", "still");
  });
});
