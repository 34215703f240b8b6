// lap-runtime under Slurm: a job step in an OCI bundle runs, tells its exit code, runs as a user, and is gone when it is cancelled.
// LAP_SLURM names a folder with Debian's packages unpacked (docs/SPEC-CONFORMANCE.md) where they are not installed.
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { nativePart, needs } from "../support/facts.ts";
import { copyFiles, programFiles } from "../support/programs.ts";
import { Bundle } from "../kernel/core-bundle.ts";

const PROGRAMS = ["/bin/sh", "/bin/sleep", "/bin/cat", "/usr/bin/id"];
const TIMEOUT_MS = 90_000;
const unpacked = process.env["LAP_SLURM"] ?? "";
const slurm = ["slurmctld-wlm", "slurmd-wlm", "srun"].map((name) => `command:${name}`);
const tools = ["command:unshare", "command:ip", "command:setpriv", "command:pgrep"];

needs("root", "native", "clone-open-to-all", ...tools, ...(unpacked === "" ? slurm : [])).test(
  "slurm: a step in a bundle",
  () => {
    using here = new Bundle([]);
    chmodSync(here.dir, 0o755);
    for (const [name, flag] of [
      ["bundle", []],
      ["user", ["--rootless"]],
    ] as const) {
      const folder = join(here.dir, name);
      copyFiles(join(folder, "rootfs"), programFiles(PROGRAMS));
      for (const dir of ["proc", "sys", "dev", "etc"]) mkdirSync(join(folder, "rootfs", dir), { recursive: true });
      writeFileSync(join(folder, "rootfs/etc/name"), "inside\n");
      if (name === "user") spawnSync("chown", ["-R", "nobody:nogroup", folder]);
      const asUser = name === "user" ? ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"] : [];
      const [program = "", ...words] = [...asUser, nativePart("lap-runtime"), "spec", "--bundle", folder, ...flag];
      expect(spawnSync(program, words, { encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
    }
    const script = join(import.meta.dirname, "core-slurm.sh");
    const apart = ["--mount", "--net", "--uts", "--pid", "--fork", "--mount-proc", "--kill-child"];
    const words = [...apart, "sh", script, here.dir, nativePart("lap-runtime"), unpacked];
    const { stdout, stderr } = spawnSync("unshare", words, { encoding: "utf8", timeout: TIMEOUT_MS - 10_000 });
    const [, ...parts] = stdout.split(/^== /m);
    expect(parts, stdout + stderr).toEqual([
      "output\ninside\n",
      "exit code\n7\n",
      expect.stringMatching(/^user\n0\n\s+0\s+65534\s+1\n$/) as string,
      "cancel\nnothing left\n",
    ]);
    // Which commands it gave, in its own words.
    expect(readFileSync(join(here.dir, "slurmd.log"), "utf8")).toMatch(/RunTimeDelete rc:0/);
  },
  TIMEOUT_MS,
);
