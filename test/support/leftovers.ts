// What a store left on the machine: processes, mounts, and the cgroups of its containers. The empty cgroups that hold those of all
// containers stay for the next one; they are no leftover.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { commandLine, processes } from "./processes.ts";
import { soon } from "./until.ts";

const CGROUPS = "/sys/fs/cgroup";

/** Ids of all containers that a store ever had, by its events. */
export function containersEver(root: string): string[] {
  const folder = join(root, "events");
  if (!existsSync(folder)) return [];
  const texts = readdirSync(folder).map((name) => readFileSync(join(folder, name), "latin1"));
  return [
    ...new Set(texts.flatMap((text) => [...text.matchAll(/"type":"container".*?"id":"(\w+)"/g)].map(([, id]) => id!))),
  ];
}

function cgroupsOf(ids: readonly string[]): string[] {
  return ["", ...readdirSync(CGROUPS)]
    .map((mount) => join(CGROUPS, mount, "lapstrake"))
    .filter((parent) => existsSync(parent))
    .flatMap((parent) => ids.map((id) => join(parent, id)))
    .filter((path) => existsSync(path));
}

/** What is alive or mounted with `name` in its own (a store folder, a container id), and the cgroups of containers. */
export function leftovers(name: string, ids: readonly string[] = []): string[] {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  return [
    ...processes(name).map((pid) => `process ${pid} ${commandLine(pid)}`),
    ...mounts.filter((line) => line.includes(name)).map((line) => `mount ${line}`),
    ...cgroupsOf(ids).map((path) => `cgroup ${path}`),
  ];
}

/** Requires that {@link leftovers} finds nothing; what ends by itself has time for it. */
export async function nothingLeft(name: string, ids: readonly string[] = []): Promise<void> {
  await soon(() => expect(leftovers(name, ids)).toEqual([]));
}
