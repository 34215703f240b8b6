import { mkdtempSync, rmSync, symlinkSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { addContainer, containerIds, dropContainer, findContainer, listContainers } from "./containers.ts";
import { newContainerId } from "./ids.ts";
import { openLayout, type StorePaths } from "./layout.ts";
import { claimName } from "./names.ts";
import type { ContainerRecord } from "./record.ts";

let root: string;
let paths: StorePaths;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lap-test-"));
  paths = openLayout(join(root, "store"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function record(name: string, id: string = newContainerId()): ContainerRecord {
  return {
    version: 1,
    id,
    name,
    createdAt: new Date().toISOString(),
    kind: "linux",
    image: { name: "x", id: undefined, labels: {} },
    rootfs: { kind: "image", layers: [] },
    process: {
      args: ["x"],
      env: [],
      cwd: "/",
      user: "",
      tty: false,
      openStdin: false,
      stopSignal: 15,
      stopTimeoutSec: 10,
    },
    hostname: "h",
    autoRemove: false,
    request: { image: "x" },
  } as unknown as ContainerRecord;
}
const nothing = (): void => {};

it("finds by name, id and prefix", () => {
  const added = addContainer(paths, record("web"), true, nothing);
  for (const wanted of ["web", "/web", added.id, added.id.slice(0, 5)])
    expect(findContainer(paths, wanted).id).toBe(added.id);
  for (const wanted of ["nosuch", "", "../x", "a/b", "x\0"])
    expect(() => findContainer(paths, wanted)).toThrow("No such container");
  expect(listContainers(paths)).toHaveLength(1);
});

it("gives a name to one container only, in docker's words, and leaves nothing of the loser", () => {
  const first = addContainer(paths, record("web"), true, nothing);
  expect(() => addContainer(paths, record("web"), true, nothing)).toThrow(
    `Conflict. The container name "/web" is already in use by container "${first.id}". You have to remove (or rename) that container to be able to reuse that name.`,
  );
  expect(containerIds(paths)).toEqual([first.id]);
});

it("finds another random name when one is taken", () => {
  addContainer(paths, record("calm_bergen"), true, nothing);
  expect(addContainer(paths, record("calm_bergen"), false, nothing).name).not.toBe("calm_bergen");
});

it("takes over a name whose container is gone", () => {
  const id = newContainerId();
  symlinkSync(newContainerId(), join(paths.names, "web"));
  mkdirSync(join(paths.containers, id));
  claimName(paths, "web", id);
  expect(() => claimName(paths, "web", newContainerId())).toThrow("Conflict");
});

it("forgets a removed container, also twice", () => {
  const added = addContainer(paths, record("web"), true, nothing);
  dropContainer(paths, added);
  dropContainer(paths, added);
  expect(listContainers(paths)).toEqual([]);
  expect(addContainer(paths, record("web"), true, nothing).name).toBe("web");
});

it("leaves nothing when preparation fails", () => {
  expect(() =>
    addContainer(paths, record("web"), true, () => {
      throw new Error("disk full");
    }),
  ).toThrow("disk full");
  expect(containerIds(paths)).toEqual([]);
  expect(() => findContainer(paths, "web")).toThrow("No such container");
});

it("refuses a store of another version", () => {
  rmSync(join(paths.root, "layout.json"));
  symlinkSync("/dev/null", join(paths.root, "layout.json"));
  expect(() => openLayout(paths.root)).toThrow();
});
