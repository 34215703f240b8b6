// One of several processes that connect containers to one network at once; its namespaces end with it.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNetns, openNetns, removeNetns } from "@lapstrake/core";
import { Networks, parsePortSpec } from "@lapstrake/engine";

const [, , root, hostPid, n] = process.argv as [string, string, string, string, string];
using host = openNetns({ pid: Number(hostPid) });
const networks = new Networks({ root, netns: host.fd });
const folder = mkdtempSync(join(tmpdir(), "lap-connector-"));
for (let i = 0; i < 3; i++) {
  const path = join(folder, String(i));
  createNetns(path);
  try {
    networks.connect("bridge", {
      containerId: randomBytes(32).toString("hex"),
      containerName: `c${n}-${i}`,
      netns: { path },
      ports: parsePortSpec(`${8000 + 10 * Number(n) + i}:80`),
    });
  } finally {
    removeNetns(path);
  }
}
rmSync(folder, { recursive: true });
