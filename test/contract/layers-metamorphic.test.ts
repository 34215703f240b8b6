// Laws of layers that need no oracle, on random layers made by random operations: squash, diff, tar, fork and freeze change nothing
// that anyone can see.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  UnionFs,
  diffLayer,
  dirFsOf,
  mergeLayers,
  mergeOnto,
  treeEntries,
  treeFromTar,
  writeTar,
  type LayerTree,
  type MergedTree,
} from "@lapstrake/layers";
import { GROUND, Player, canonical, op as anyOp, type Op } from "./layers-ops.ts";

// `user.overlay.*` is dropped on the way into a layer, on purpose.
const op = anyOp.filter(({ kind, number }) => kind !== "setXattr" || number % 5 !== 2);
const lists = fc.array(fc.array(op, { maxLength: 20 }), { minLength: 2, maxLength: 4 });
const RUNS = { numRuns: Number(process.env["LAP_LAW_RUNS"] ?? 100) };

/** Plays each list on the layers so far and freezes it. */
function layersOf(steps: readonly (readonly Op[])[]): LayerTree[] {
  let clock = 1_000_000;
  const fs = UnionFs.create([], { now: () => ({ sec: clock++, nsec: 7 }) });
  return [GROUND, ...steps].map((list) => {
    play(fs, list);
    return fs.freeze();
  });
}

function play(fs: UnionFs, list: readonly Op[]): void {
  const player = new Player(dirFsOf(fs));
  for (const step of list) player.play(step);
  player.close();
}

function shown(tree: MergedTree): string[] {
  return canonical(dirFsOf(UnionFs.over(tree)), Number.POSITIVE_INFINITY);
}

function tarOf(tree: LayerTree): Uint8Array {
  return Buffer.concat([...writeTar(treeEntries(tree))]);
}

describe("laws of layers", () => {
  it("squashing the lower ones changes nothing: apply(L1..Ln) = apply(squash(L1..Lk), rest)", () => {
    const law = fc.property(lists, fc.nat(), (steps, cut) => {
      const layers = layersOf(steps);
      const k = 1 + (cut % (layers.length - 1));
      const low = mergeLayers(layers.slice(0, k));
      const squashed: LayerTree = { root: low.root, hasLinks: low.links.size > 0 };
      expect(shown(mergeLayers([squashed, ...layers.slice(k)]))).toEqual(shown(mergeLayers(layers)));
    });
    fc.assert(law, RUNS);
  });

  it("diff then apply is identity, between any two trees", () => {
    const law = fc.property(lists, lists, (some, others) => {
      const [from, to] = [mergeLayers(layersOf(some)), mergeLayers(layersOf(others))];
      expect(shown(mergeOnto(from, diffLayer(from, to)))).toEqual(shown(to));
      expect(treeEntries(diffLayer(to, to))).toEqual([]);
    });
    fc.assert(law, RUNS);
  });

  it("a layer through tar is the same layer, and the same bytes again", () => {
    const law = fc.property(lists, (steps) => {
      const layers = layersOf(steps);
      const again = layers.map((layer) => treeFromTar(tarOf(layer)));
      expect(shown(mergeLayers(again))).toEqual(shown(mergeLayers(layers)));
      expect(again.map(tarOf)).toEqual(layers.map(tarOf));
    });
    fc.assert(law, RUNS);
  });

  it("a fork shows what its parent shows, and neither sees the other's changes", () => {
    const law = fc.property(lists, fc.array(op, { maxLength: 20 }), (steps, more) => {
      const fs = UnionFs.create(layersOf(steps));
      play(fs, more);
      const fork = fs.fork();
      const before = canonical(dirFsOf(fs), 0);
      expect(canonical(dirFsOf(fork), 0)).toEqual(before);
      play(fork, more.toReversed());
      expect(canonical(dirFsOf(fs), 0)).toEqual(before);
    });
    fc.assert(law, RUNS);
  });

  it("freezing changes nothing that is shown, and the layer carries every change", () => {
    const law = fc.property(lists, fc.array(op, { maxLength: 20 }), (steps, more) => {
      const layers = layersOf(steps);
      const fs = UnionFs.create(layers);
      play(fs, more);
      const before = canonical(dirFsOf(fs), Number.POSITIVE_INFINITY);
      const frozen = fs.freeze();
      expect(canonical(dirFsOf(fs), Number.POSITIVE_INFINITY)).toEqual(before);
      expect(shown(mergeLayers([...layers, frozen]))).toEqual(before);
      expect(fs.changes()).toEqual([]);
    });
    fc.assert(law, RUNS);
  });
});
