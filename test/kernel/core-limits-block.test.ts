// Block limits bind: bytes and operations a second of a loop device, read and written directly, v1 blkio and v2 io alike.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DeviceSpec, ResourcesSpec, RuntimeSpec } from "@lapstrake/base";
import { hostFacts } from "@lapstrake/core";
import { needs } from "../support/facts.ts";
import { soon } from "../support/until.ts";
import { finish, TestContainer } from "./core-harness.ts";

const hasController = hostFacts().cgroups.some(({ controllers }) =>
  controllers.some((name) => name === "blkio" || name === "io"),
);
const MEGA = 1_000_000;
type BlockIOSpec = NonNullable<ResourcesSpec["blockIO"]>;

needs("root", "native", "command:losetup", "command:dd", ...(hasController ? [] : ["cgroup.blkio"])).describe(
  "core block limits",
  () => {
    let folder: string;
    let device: string;
    let numbers: { readonly major: number; readonly minor: number };

    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), "lap-block-"));
      const image = join(folder, "disk");
      writeFileSync(image, Buffer.alloc(8 * MEGA));
      truncateSync(image, 8 << 20);
      device = execFileSync("losetup", ["--find", "--show", image], { encoding: "utf8" }).trim();
      const { rdev } = statSync(device);
      numbers = { major: rdev >> 8, minor: rdev & 0xff };
    });
    afterAll(async () => {
      execFileSync("losetup", ["--detach", device]);
      await soon(() =>
        expect(execFileSync("losetup", ["--list", "--noheadings"], { encoding: "utf8" })).not.toContain(folder),
      );
      rmSync(folder, { recursive: true });
    });

    function withDevice(blockIO: BlockIOSpec): (spec: RuntimeSpec) => RuntimeSpec {
      return (spec) => {
        const allowed = [
          ...(spec.linux?.resources?.devices ?? []),
          { allow: true, type: "b", ...numbers, access: "rw" },
        ];
        const node: DeviceSpec = { type: "b", path: "/dev/disk", ...numbers, fileMode: 0o600 };
        const resources = { ...spec.linux?.resources, devices: allowed, blockIO };
        return { ...spec, linux: { ...spec.linux, devices: [...(spec.linux?.devices ?? []), node], resources } };
      };
    }

    /** Seconds that `dd` takes inside, by its own clock. */
    async function secondsOf(arguments_: string, blockIO: BlockIOSpec): Promise<number> {
      using container = new TestContainer(["sh", "-c", `LC_ALL=C dd ${arguments_}`], withDevice(blockIO));
      const { stderr } = await finish(await container.start());
      const match = /copied, ([\d.e-]+) s/.exec(stderr);
      expect(match, stderr).not.toBeNull();
      return Number(match![1]);
    }

    const READ = "if=/dev/disk of=/dev/null iflag=direct";
    const WRITE = "if=/dev/zero of=/dev/disk oflag=direct";

    test.each<readonly [string, keyof BlockIOSpec, string, number]>([
      ["bytes read", "throttleReadBpsDevice", `${READ} bs=65536 count=60`, 2 * MEGA],
      ["bytes written", "throttleWriteBpsDevice", `${WRITE} bs=65536 count=60`, 2 * MEGA],
      ["operations read", "throttleReadIOPSDevice", `${READ} bs=4096 count=100`, 50],
      ["operations written", "throttleWriteIOPSDevice", `${WRITE} bs=4096 count=100`, 50],
    ])("%s a second", async (_name, field, command, rate) => {
      // Two seconds' worth; half of that without the limit would be another machine's disk.
      const limited = await secondsOf(command, { [field]: [{ ...numbers, rate }] });
      expect(limited).toBeGreaterThan(1.6);
      // Others may be at the disk and the processors: what the limit lets through shows in the best of some tries.
      await soon(async () => expect(await secondsOf(command, {})).toBeLessThan(limited / 2));
      if (limited > 3)
        await soon(async () => expect(await secondsOf(command, { [field]: [{ ...numbers, rate }] })).toBeLessThan(3));
    });
  },
);
