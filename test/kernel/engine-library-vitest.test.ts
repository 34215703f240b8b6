// @lapstrake/vitest in a vitest of its own: several files in several worker processes, one preparation, a fork for each test.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { soon } from "../support/until.ts";

const ROOT = join(import.meta.dirname, "../..");
const FILES = 3;
const TESTS = 5;

/** Inside the repository, where packages are found. */
const project = join(ROOT, "test", `.nested-${process.pid}`);

/** Node loads the packages itself, compiled once for all processes: their sources take most of the time. */
const CONFIG = `
const conditions = ["@lapstrake/source", "module", "node", "default"];
export default {
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ["*.spec.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 90_000,
    execArgv: ["--conditions=@lapstrake/source"],
    server: { deps: { external: [/\\/packages\\//] } },
  },
};
`;

function spec(file: number, root: string, log: string): string {
  return `
import { appendFileSync } from "node:fs";
import { expect } from "vitest";
import { boxTest } from "@lapstrake/vitest";

const test = boxTest({
  root: ${JSON.stringify(root)},
  image: "progs:1",
  // The shell that is stopped after the preparation, as a first process, ignores SIGTERM.
  options: { network: "none", request: { stopTimeoutSec: 0 } },
  async prepare(box) {
    appendFileSync(${JSON.stringify(log)}, "prepare " + process.pid + "\\n");
    await box.$\`mkdir /db; echo prepared >/db/state\`;
  },
});
for (let i = 0; i < ${TESTS}; i++) {
  test("file ${file} test " + i, async ({ box }) => {
    expect(await box.$\`cat /db/state; ls /db\`.lines()).toEqual(["prepared", "state"]);
    await box.$\`echo \${"changed by " + i} >/db/state; echo more >/db/more\`;
    expect(await box.fs.readFile("/db/state", "utf8")).toBe("changed by " + i + "\\n");
    appendFileSync(${JSON.stringify(log)}, "test " + process.pid + " " + box.name + "\\n");
  });
}
`;
}

needs("root", "overlayfs", "native").describe("@lapstrake/vitest", () => {
  let lap: LapStore;
  beforeAll(() => {
    lap = new LapStore();
    lap.loadPrograms();
    mkdirSync(project, { recursive: true });
    writeFileSync(join(project, "vitest.config.ts"), CONFIG);
  });
  afterAll(async () => {
    rmSync(project, { recursive: true, force: true });
    await lap.close();
  });

  it("prepares once, gives each test a fork, and leaves nothing when the run is over", async () => {
    const log = join(lap.folder, "log");
    appendFileSync(log, "");
    for (let file = 0; file < FILES; file++) {
      writeFileSync(join(project, `part${file}.spec.ts`), spec(file, lap.root, log));
    }
    const { code, output } = await vitest(join(lap.folder, "compiled"));
    expect(output).toContain(`${FILES * TESTS} passed`);
    expect(code).toBe(0);
    const lines = readFileSync(log, "utf8").trim().split("\n");
    const tests = lines.filter((line) => line.startsWith("test ")).map((line) => line.split(" "));
    expect(lines.filter((line) => line.startsWith("prepare "))).toHaveLength(1);
    expect(new Set(tests.map(([, pid]) => pid)).size).toBeGreaterThan(1);
    expect(new Set(tests.map(([, , name]) => name)).size).toBe(FILES * TESTS);
    const names = (folder: string): string[] => readdirSync(join(lap.root, folder)).filter((name) => name !== ".lock");
    // A layer that forks share goes after the last of them.
    await soon(() => expect([names("containers"), names("frozen")]).toEqual([[], []]));
  });
});

async function vitest(compiled: string): Promise<{ readonly code: number | null; readonly output: string }> {
  const args = [join(ROOT, "node_modules/vitest/vitest.mjs"), "run", "--root", project];
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST")));
  const child = spawn(process.execPath, args, {
    env: { ...env, NO_COLOR: "1", NODE_COMPILE_CACHE: compiled },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const timer = setTimeout(() => child.kill("SIGKILL"), 100_000);
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  return { code, output };
}
