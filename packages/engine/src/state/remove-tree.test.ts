import { expect, it } from "vitest";
import { systemError, toByteString, type ByteString, type DirFs } from "@lapstrake/base";
import { removeFlat } from "./remove-tree.ts";

const ENOENT = 2;
const ENOTEMPTY = 39;

type Tree = Map<string, Tree | "file">;

interface Meddler {
  /** Called before each change, with its name. */
  (call: string, name: string, tree: Tree): void;
}

/** As much of a directory as removal needs; `meddle` is another process. */
function dirFs(tree: Tree, meddle: Meddler): DirFs {
  const gone = (call: string, name: string): Error => systemError(ENOENT, call, name);
  const fs = {
    stat: (name: string) => {
      const entry = tree.get(name);
      return entry === undefined ? undefined : { type: entry === "file" ? "file" : "dir", mode: 0o700 };
    },
    openDir: (name: string) => {
      const entry = tree.get(name);
      if (entry === undefined || entry === "file") throw gone("openat", name);
      return Object.assign(dirFs(entry, meddle), { tree: entry });
    },
    readdir: () => [...tree].map(([name, entry]) => ({ name, type: entry === "file" ? "file" : "dir" })),
    unlink: (name: string) => {
      meddle("unlink", name, tree);
      if (!tree.delete(name)) throw gone("unlinkat", name);
    },
    rmdir: (name: string) => {
      meddle("rmdir", name, tree);
      const entry = tree.get(name);
      if (entry === undefined) throw gone("unlinkat", name);
      if (entry !== "file" && entry.size > 0) throw systemError(ENOTEMPTY, "unlinkat", name);
      tree.delete(name);
    },
    rename: (name: string, to: string, { toDir }: { toDir: { readonly tree?: Tree } }) => {
      const entry = tree.get(name);
      if (entry === undefined) throw gone("renameat", name);
      (toDir.tree ?? tree).set(to, entry);
      tree.delete(name);
    },
    chmod: () => undefined,
    tree,
    [Symbol.dispose]: () => undefined,
  };
  return fs as unknown as DirFs;
}

const name = (text: string): ByteString => toByteString(text);
const box = (): Tree =>
  new Map([
    [
      "box",
      new Map<string, Tree | "file">([
        ["ctl.sock", "file"],
        ["sub", new Map([["deep", new Map([["x", "file" as const]])]])],
        ["z", "file"],
      ]),
    ],
  ]);

it("removes a tree", () => {
  const root = box();
  removeFlat(
    dirFs(root, () => undefined),
    name("box"),
  );
  expect(root.size).toBe(0);
});

it("removes it too when an entry goes by itself meanwhile", () => {
  const root = box();
  removeFlat(
    dirFs(root, (_, entry, tree) => {
      if (entry === "ctl.sock") tree.delete("ctl.sock");
    }),
    name("box"),
  );
  expect(root.size).toBe(0);
});

it("removes it too when a last file is written into it", () => {
  const root = box();
  let written = 0;
  removeFlat(
    dirFs(root, (call, entry) => {
      if (call === "rmdir" && entry === "box" && written++ === 0) (root.get("box") as Tree).set("late", "file");
    }),
    name("box"),
  );
  expect(root.size).toBe(0);
});
