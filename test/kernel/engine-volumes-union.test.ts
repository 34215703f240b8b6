// `lap mount --union`: folders of the machine as one.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { mountFolders, unmountFolders } from "@lapstrake/engine";
import { needs } from "../support/facts.ts";

needs("root", "overlayfs").describe("lap mount", () => {
  const withFolders = (use: (at: (name: string) => string) => void): void => {
    const folder = mkdtempSync(join(tmpdir(), "lap-union-"));
    const at = (name: string): string => join(folder, name);
    for (const name of ["top", "be,low", "deep:er", "target"]) mkdirSync(at(name));
    mkdirSync(at("vegetables"));
    writeFileSync(at("top/a"), "top");
    writeFileSync(at("be,low/a"), "below");
    writeFileSync(at("be,low/b"), "below");
    writeFileSync(at("vegetables/c"), "c");
    try {
      use(at);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };

  it("shows the first on top, writes there, and leaves nothing but the changes", () => {
    withFolders((at) => {
      mountFolders(`${at("top")}:${at("be,low")}:${at("vegetables")}`, at("target"));
      try {
        expect(readdirSync(at("target")).toSorted()).toEqual(["a", "b", "c"]);
        expect(readFileSync(at("target/a"), "utf8")).toBe("top");
        expect(() => mountFolders(`${at("top")}:${at("vegetables")}`, at("vegetables"))).toThrow("a union already");
        writeFileSync(at("target/b"), "changed");
      } finally {
        unmountFolders(at("target"));
      }
      expect([readFileSync(at("be,low/b"), "utf8"), readFileSync(at("top/b"), "utf8")]).toEqual(["below", "changed"]);
      expect(existsSync(at(".top.lap-work"))).toBe(false);
      expect(readdirSync(at("target"))).toEqual([]);
    });
  });

  it("is read-only when the first is", () => {
    withFolders((at) => {
      mountFolders(`${at("top")}=ro:${at("be,low")}`, at("target"));
      try {
        expect(() => writeFileSync(at("target/x"), "")).toThrow("EROFS");
      } finally {
        unmountFolders(at("target"));
      }
    });
  });

  it("refuses what it cannot mean", () => {
    withFolders((at) => {
      expect(() => mountFolders(at("top"), at("target"))).toThrow("two folders");
      expect(() => mountFolders(`${at("top")}:${at("vegetables")}=rw`, at("target"))).toThrow("only the first");
      expect(() => mountFolders(`${at("none")}:${at("top")}`, at("target"))).toThrow("no such folder");
      expect(() => unmountFolders(at("target"))).toThrow("no union of ours");
    });
  });
});
