// A user without privilege: own store, own user namespace, overlay, no daemon, no setuid helper.
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildGuests } from "../../wasm/build.ts";
import { needs } from "../support/facts.ts";
import { LapStore, nothingLeft, type LapResult } from "../support/lap.ts";
import { nativePart } from "../support/native.ts";
import { soon } from "../support/until.ts";

const NOBODY = 65534;

needs("root", "overlayfs", "native", "namespace.user_allowed", "clone-open-to-all", "command:setpriv").describe(
  "lap without root",
  () => {
    let folder: string;
    let layout: string;

    const lap = (...args: readonly string[]): LapResult => {
      const words = [
        "--reuid",
        String(NOBODY),
        "--regid",
        String(NOBODY),
        "--clear-groups",
        nativePart("lap"),
        ...args,
      ];
      const { status, stdout, stderr } = spawnSync("setpriv", words, {
        env: { PATH: process.env["PATH"], HOME: folder },
        encoding: "utf8",
        timeout: 120_000,
      });
      return { code: status, stdout, stderr };
    };

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "lap-rootless-"));
      using store = new LapStore();
      store.loadPrograms();
      layout = join(folder, "layout");
      mkdirSync(layout);
      spawnSync("cp", ["-r", `${join(store.folder, "layout")}/.`, layout]);
      await buildGuests(join(folder, "guests"));
      copyFileSync(join(folder, "guests/hello.wasm"), join(folder, "hello.wasm"));
      chmodSync(folder, 0o755);
      chownSync(folder, NOBODY, NOBODY);
      expect(lap("load", "-i", layout).stderr).toBe("");
    });
    afterAll(async () => {
      rmSync(folder, { recursive: true, force: true });
      await nothingLeft(folder);
    });

    it("runs as its own root over the layers", () => {
      const { code, stdout, stderr } = lap(
        "run",
        "--rm",
        "progs:1",
        "sh",
        "-c",
        "id -u; cat /proc/self/uid_map /data/file; echo x > /new; ls /data",
      );
      expect(stderr).toBe("");
      expect(code).toBe(0);
      expect(stdout).toMatch(/^0\n\s+0\s+65534\s+1\nupper\nbadscript\nfile\nnoexec\nsub\n$/);
    });

    it("deletes, shows and commits what changed", () => {
      expect(
        lap("run", "--name", "c1", "progs:1", "sh", "-c", "rm -rf /data/sub /data/file; echo new > /new").code,
      ).toBe(0);
      expect(lap("diff", "c1").stdout.split("\n").toSorted()).toEqual([
        "",
        "A /new",
        "C /data",
        "D /data/file",
        "D /data/sub",
      ]);
      expect(lap("commit", "c1", "mine:1").code).toBe(0);
      expect(lap("run", "--rm", "mine:1", "sh", "-c", "cat /new; ls /data").stdout).toBe("new\nbadscript\nnoexec\n");
      expect(lap("rm", "c1").code).toBe(0);
    });

    it("keeps a container in the background and joins it", () => {
      expect(lap("run", "-d", "--name", "bg", "progs:1", "sleep", "500").code).toBe(0);
      expect(lap("exec", "bg", "id", "-u").stdout).toBe("0\n");
      expect(lap("rm", "-f", "bg")).toMatchObject({ code: 0, stdout: "bg\n" });
    });

    it("shows the files of a Wasm program that runs", async () => {
      const script = "echo x > /made; while :; do read y < /made; done";
      expect(
        lap("run", "-d", "--name", "live", "--entrypoint", "sh", join(folder, "hello.wasm"), "-c", script).code,
      ).toBe(0);
      await soon(() => expect(lap("diff", "live").stdout).toContain("A /made\n"));
      expect(lap("rm", "-f", "live").code).toBe(0);
    });

    it("runs a Wasm program", () => {
      expect(lap("run", "--rm", join(folder, "hello.wasm"))).toEqual({
        code: 0,
        stdout: "hello from WebAssembly\n",
        stderr: "",
      });
    });

    it.each([
      [["-u", "bob", "progs:1"], "one user, its own root"],
      [["-m", "64m", "progs:1"], "limits need a cgroup that"],
      [["host"], "the image `host` needs root"],
    ])("says what it cannot give: %j", (args, text) => {
      const { code, stderr } = lap("run", "--rm", ...args, "true");
      expect(code).toBe(125);
      expect(stderr).toContain(text);
    });

    it("leaves nothing", async () => {
      expect(lap("ps", "-aq").stdout).toBe("");
      await soon(() => expect(readdirSync(join(folder, ".local/share/lapstrake/trash"))).toEqual([]));
    });
  },
);
