// What a shell does to a command's streams and words: readers that leave, full disks, closed descriptors, files that are none, bytes
// that are no text. Each ends plainly: the status a shell expects, no stack, nothing of the machine replaced.
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { nativePart } from "../support/native.ts";
import { soon } from "../support/until.ts";

interface ShellResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

needs("root", "overlayfs", "native", "command:bash").describe("the command line's streams", () => {
  let store: LapStore;

  /** A bash script with `lap` on this store, in the store's folder. */
  const shell = (script: string): ShellResult => {
    const lap = `lap() { ${nativePart("lap")} --root ${store.root} "$@"; }; set -o pipefail`;
    const options = { cwd: store.folder, timeout: 30_000, killSignal: "SIGKILL", input: "" } as const;
    const { status, stdout, stderr } = spawnSync("bash", ["-c", `${lap}\n${script}`], options);
    return { code: status, stdout: stdout.toString("latin1"), stderr: stderr.toString() };
  };

  beforeAll(() => {
    store = new LapStore();
    store.loadPrograms();
    store.ok("create", "--name", "made", "progs:1", "true");
  });
  afterAll(() => store.close());

  it.each(["ps -a", "save progs:1", "cp made:/data -", "run --rm progs:1 sh -c 'while :; do echo y; done'"])(
    "lap %s, whose reader leaves",
    (command) => {
      // A pipe that has no reader any more, whoever is quicker.
      const closed = "rm -f pipe; mkfifo pipe; exec 3<>pipe 4>pipe 3>&-";
      expect(shell(`${closed}; lap ${command} >&4`)).toEqual({ code: 141, stdout: "", stderr: "" });
    },
  );

  it.each(["ps -a", "save progs:1", "image cat progs:1 /data/file", "help"])("lap %s on a full disk", (command) => {
    const { code, stderr } = shell(`lap ${command} > /dev/full`);
    expect([code, stderr]).toEqual([1, "write /dev/stdout: no space left on device\n"]);
  });

  it("works with any of its three descriptors closed", () => {
    const run = "lap run --rm progs:1 echo x";
    const { stdout, code } = shell(`${run} <&- && ${run} 2>&- && ${run} >&- && ${run} <&- >&- 2>&- && lap ps -q >&-`);
    expect([code, stdout]).toEqual([0, "x\nx\n"]);
  });

  it.each([
    ["mknod it c 1 7", "a character device file"],
    ["mkfifo it", "a named pipe (FIFO)"],
  ])("an archive does not take the place of a file made by %s", (make, kind) => {
    const { code, stderr } = shell(`${make}; lap save -o it progs:1`);
    expect([code, stderr]).toEqual([1, `failed to save image: cannot write to ${kind}\n`]);
    expect(lstatSync(join(store.folder, "it")).isFile()).toBe(false);
    expect(shell("lap export -o it made; rm -rf it").stderr).toBe(
      `failed to export container: cannot write to ${kind}\n`,
    );
  });

  it("leaves nothing of an archive that Ctrl-C breaks off", async () => {
    const archive = Buffer.from(store.run(["save", "progs:1"]).stdout, "latin1");
    const child = store.spawn(["load"]);
    child.stdin!.on("error", () => {}); // its reader ends before all is written
    child.stdin!.write(archive.subarray(0, archive.length - 20_000));
    const ingest = join(store.root, "images/ingest");
    await soon(() => expect(existsSync(ingest) && readdirSync(ingest).length).toBeGreaterThan(0));
    const ended = once(child, "exit");
    child.kill("SIGINT");
    expect((await ended)[0]).toBe(130);
    expect(store.ok("system", "check")).toBe("clean");
  });

  it("refuses words that are not text, and takes the character that stands for them", () => {
    expect(shell("lap run --rm progs:1 echo $'\\xff'")).toMatchObject({ code: 125, stdout: "" });
    expect(shell("lap run --rm progs:1 echo $'\\xff'").stderr).toContain('argument 4 ("\ufffd") is not UTF-8 text');
    expect(shell("X=$'\\xff' lap run --rm -e X progs:1 env").stderr).toContain("the value of X is not UTF-8 text");
    expect(shell("lap run --rm progs:1 echo $'\\xef\\xbf\\xbd'").stdout).toBe("\xef\xbf\xbd\n");
  });
});
