// A limit on huge pages binds: a program gets as many as it may, where the machine has more. Reserves a few for the time of the test.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { RuntimeSpec } from "@lapstrake/base";
import { hostFacts } from "@lapstrake/core";
import { needs } from "../support/facts.ts";
import { finish, TestContainer } from "./core-harness.ts";

const RESERVED = "/proc/sys/vm/nr_hugepages";
const FREE = "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages";
const PAGE = 2 << 20;
const WANTED = 3;
const number = (file: string): number => Number(readFileSync(file, "latin1"));
const hasController = hostFacts().cgroups.some(({ controllers }) => controllers.includes("hugetlb"));

needs("root", "native", "command:gcc", ...(hasController ? [] : ["cgroup.hugetlb"])).describe("core hugetlb", () => {
  test("hugepageLimits: what is mapped beyond is refused, with and without pages to spare", async (context) => {
    const before = number(RESERVED);
    const folder = mkdtempSync(join(tmpdir(), "lap-huge-"));
    try {
      writeFileSync(RESERVED, String(before + WANTED));
      if (number(FREE) < WANTED) context.skip("huge pages: this kernel has no memory to reserve for them");
      execFileSync("gcc", ["-O1", "-o", join(folder, "pages"), join(import.meta.dirname, "core-hugepages.c")]);
      const run = async (limit: number): Promise<string> => {
        const change = (spec: RuntimeSpec): RuntimeSpec => ({
          ...spec,
          mounts: [...spec.mounts!, { destination: "/mnt", type: "bind", source: folder, options: ["bind"] }],
          linux: {
            ...spec.linux,
            resources: { ...spec.linux!.resources, hugepageLimits: [{ pageSize: "2MB", limit }] },
          },
        });
        using container = new TestContainer(["/mnt/pages", String(WANTED)], change);
        const launched = await container.start();
        const { stdout, stderr } = await finish(launched);
        return stdout + stderr;
      };
      expect(await run(WANTED * PAGE)).toBe("3 all\n");
      expect(await run(PAGE)).toBe("1 Cannot allocate memory\n");
      expect(await run(0)).toBe("0 Cannot allocate memory\n");
    } finally {
      writeFileSync(RESERVED, String(before));
      rmSync(folder, { recursive: true });
    }
  });
});
