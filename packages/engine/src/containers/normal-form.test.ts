import { UnionFs, layerTar, mergeLayers, treeChanges, type LayerTree } from "@lapstrake/layers";
import { expect, it } from "vitest";
import { toNormalForm } from "./normal-form.ts";

async function bytesOf(tree: LayerTree): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of layerTar(tree)) chunks.push(chunk);
  return Buffer.concat(chunks).toString("latin1");
}

it("clears marks that hide nothing and keeps those that do", async () => {
  const base = UnionFs.create([]);
  const old = base.mkdir(base.root, "old", 0o755);
  base.mkdir(old, "inside", 0o755);
  const lower = mergeLayers([base.freeze()]);
  const fs = UnionFs.over(lower);
  fs.mkdir(fs.root, "new", 0o755);
  fs.rmdir(fs.lookup(fs.root, "old"), "inside");
  const upper = fs.upperTree();
  const clean = await bytesOf(upper);
  const fresh = upper.root.children!.get("new");
  if (fresh === null || fresh === undefined || !("opaque" in fresh)) throw new Error("no directory");
  fresh.opaque = true;
  expect(await bytesOf(upper)).toContain("new/.wh..wh..opq");
  const view = {
    lookup: (path: string) => (path === "" ? lower.root : lookUp(path)),
    names: (path: string) => namesOf(path),
  };
  function lookUp(path: string): typeof lower.root | undefined {
    const child = lower.root.children!.get(path);
    return child !== null && child !== undefined && "children" in child ? child : undefined;
  }
  function namesOf(path: string): string[] {
    return [...(view.lookup(path)?.children?.keys() ?? [])];
  }
  expect(await bytesOf(toNormalForm(upper, view))).toBe(clean);
  expect(treeChanges(upper, lower).map(({ kind, path }) => `${kind} ${path}`)).toContain("D /old/inside");
});
