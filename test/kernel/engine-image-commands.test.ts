// `lap image ls|cat|tree|diff|squash|append|rebase|copy`: an image is looked into and made into others without a container.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { writeLayout } from "../support/oci-layout.ts";

function utf8(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString();
}

needs("root", "native").describe("commands on images", () => {
  let store: LapStore;

  beforeAll(() => {
    store = new LapStore();
    const file = (folder: string, path: string, text: string): string => {
      mkdirSync(join(store.folder, folder, path, ".."), { recursive: true });
      writeFileSync(join(store.folder, folder, path), text);
      return join(store.folder, folder);
    };
    const one = file("one", "etc/version", "1\n");
    const two = file("two", "etc/version", "2\n");
    const app = file("app", "srv/app", "hello\n");
    file("app", "etc/.wh.version", "");
    const more = { config: {}, platform: { os: "linux", architecture: "amd64" } };
    const arm = { config: {}, platform: { os: "linux", architecture: "arm64" } };
    writeLayout(join(store.folder, "layout"), [
      { ...more, tag: "base:1", layers: [one], variants: [arm] },
      { ...more, tag: "base:2", layers: [two] },
      { ...more, tag: "app:1", layers: [one, app] },
    ]);
    store.ok("load", "-i", join(store.folder, "layout"));
  });
  afterAll(() => store.close());

  it("reads files, and stays inside of the image", () => {
    expect(store.ok("image", "ls", "app:1", "/", "/srv/app")).toBe("/:\netc\nsrv\n/srv/app");
    expect(store.ok("image", "ls", "-l", "base:1", "/etc")).toMatch(/^-rw-r--r-- {5}0 {5}0 {10}2 \S+Z version$/);
    expect(utf8(store.ok("image", "tree", "app:1"))).toBe("/\n├── etc\n└── srv\n    └── app");
    expect(store.ok("image", "cat", "base:1", "/etc/version", "/../../etc/version")).toBe("1\n1");
    expect(store.run(["image", "cat", "app:1", "/etc/version"])).toEqual({
      code: 1,
      stdout: "",
      stderr: "open /etc/version: no such file or directory\n",
    });
    expect(store.run(["image", "cat", "--platform", "linux/s390x", "base:1", "/etc/version"]).code).toBe(1);
    expect(store.ok("image", "cat", "--platform", "linux/arm64", "base:1", "/etc/version")).toBe("1");
  });

  it("says what differs", () => {
    expect(store.ok("image", "diff", "app:1")).toBe("C /etc\nD /etc/version\nA /srv\nA /srv/app");
    expect(store.ok("image", "diff", "base:1", "base:2")).toBe("C /etc\nC /etc/version");
    const { stdout, code } = store.run(["image", "diff", "-o", "-", "base:1", "base:2"]);
    expect([code, stdout.includes("etc/version")]).toEqual([0, true]);
  });

  it("makes images of images", () => {
    const id = store.ok("image", "squash", "-t", "squashed:1", "app:1");
    expect(store.ok("inspect", "-f", "{{.Id}} {{len .RootFS.Layers}}", "squashed:1")).toBe(`${id} 1`);
    store.ok("image", "rebase", "-t", "rebased:1", "app:1", "base:1", "base:2");
    expect(store.ok("image", "diff", "base:2", "rebased:1")).toContain("A /srv/app");
    store.ok("image", "append", "-t", "appended:1", "base:2", join(store.folder, "app/srv"));
    expect(store.ok("image", "cat", "appended:1", "/app", "/etc/version")).toBe("hello\n2");
    expect(store.run(["image", "rebase", "app:1", "base:2", "base:1"]).stderr).toContain(
      "not what the image stands on",
    );
  });

  it("copies between layouts, all platforms or one", () => {
    const at = (name: string): string => `oci:${join(store.folder, name)}`;
    const whole = store.ok("image", "copy", `${at("layout")}:base:1`, `${at("copy")}:mine:1`);
    const one = store.ok("image", "copy", "--platform", "linux/arm64", `${at("layout")}:base:1`, at("one"));
    expect(whole).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(one).not.toBe(whole);
    expect(store.ok("load", "-i", join(store.folder, "copy"))).toBe("Loaded image: mine:1");
    expect(store.run(["image", "copy", "oci:", at("copy")])).toMatchObject({ code: 1 });
  });

  it("shows the platforms of an index as a tree", () => {
    const lines = utf8(store.ok("image", "ls", "--tree", "base:1"))
      .split("\n")
      .slice(4);
    const names = lines.map((line) => line.replace(/ {2,}.*/, ""));
    expect(names.slice(-3)).toEqual([
      expect.stringMatching(/^(?:base|mine):1$/) as unknown as string,
      "├─ linux/amd64",
      "└─ linux/arm64",
    ]);
  });
});
