// The escape table through `lap run -v`: the payload's sandbox, the mount and the guest's paths together. One container tries every
// row with every verb of the guest; beside the directory nothing may be read, made, changed or removed.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildGuests } from "../../wasm/build.ts";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { MARK, ROWS, SECRET } from "../support/wasm-escape.ts";
import { makeJail, startSwapper } from "../support/wasm-jail.ts";

const RACE_ROUNDS = 20_000;

needs("root", "overlayfs", "native").describe("the escape table through lap run -v", () => {
  let store: LapStore;
  let guests: string;
  let jail: string;
  let outside: string;

  beforeAll(async () => {
    store = new LapStore();
    guests = join(store.folder, "guests");
    await buildGuests(guests);
    ({ jail, outside } = makeJail(join(store.folder, "world")));
  });
  afterAll(() => store.close());

  /** Runs a script of the built-in shell in a container with the jail on /data and the guest as `g`. */
  function script(text: string): string {
    const volumes = ["-v", `${jail}:/data`, "-v", `${guests}:/guests:ro`];
    const args = ["run", "--rm", ...volumes, "--entrypoint", "sh", join(guests, "hello.wasm"), "-c", text];
    const { stdout, stderr } = store.run(args, { timeoutMs: 60_000 });
    return stdout + stderr;
  }

  it("gives nothing away and changes nothing, row by row", () => {
    const lines = ROWS.flatMap(([, file, dir]) => {
      const at = (path: string): string => `'${path.startsWith("/") ? path : `/data/${path}`}'`;
      return [
        `cat ${at(file)}`,
        `ls ${at(dir)}`,
        `write ${at(file)} '${MARK}'`,
        `write ${at(`${dir}/new`)} '${MARK}'`,
        `rm ${at(`${dir}/secret`)}`,
      ];
    });
    const said = script(["cd /data", ...lines.map((line) => `/guests/hello.wasm ${line}`), "echo end"].join("\n"));
    expect(said).toContain("end");
    expect(said).not.toContain(SECRET);
    expect(said).not.toContain("empty");
    expect(readdirSync(outside).toSorted()).toEqual(["empty", "secret"]);
    expect(readFileSync(join(outside, "secret"), "utf8")).toBe(SECRET);
  });

  it("sees the directory it was given, so the rows above say something", () => {
    expect(script("/guests/hello.wasm cat /data/mine; /guests/hello.wasm write /data/made x")).toContain("mine");
    expect(readFileSync(join(jail, "made"), "utf8")).toBe("x\n");
  });

  it("wins the race against swapped names", async () => {
    await using _swapper = await startSwapper(jail);
    const volumes = ["-v", `${jail}:/data`, "-v", `${guests}:/guests:ro`];
    const loop = `i=0; while [ $i -lt ${RACE_ROUNDS} ]; do read -r x < /data/d/secret && echo "$x"; echo '${MARK}' > /data/d/new; i=$((i+1)); done 2> /dev/null; echo end`;
    const args = ["run", "--rm", ...volumes, "--entrypoint", "sh", join(guests, "hello.wasm"), "-c", loop];
    const { stdout } = await store.lap(...args);
    expect(stdout).toContain("end");
    expect(stdout).not.toContain(SECRET);
    expect(readdirSync(outside).toSorted()).toEqual(["empty", "secret"]);
  });
});
