// Binary search over ranges of a loaded word: what makes a filter of hundreds of calls cost some eight comparisons.
import { JEQ, JGE, type Graph, type NodeId } from "./graph.ts";

/** Values from `start` up to the next segment's start lead to `node`. The first starts at 0. */
export interface Segment<N extends number | bigint> {
  readonly start: N;
  readonly node: NodeId;
}

function merged(segments: readonly Segment<number>[]): Segment<number>[] {
  return segments.filter(({ node }, index) => segments[index - 1]?.node !== node);
}

function search(graph: Graph, segments: readonly Segment<number>[], from: number, to: number): NodeId {
  if (to - from === 1) return segments[from]!.node;
  const single = oneValue(graph, segments, from, to);
  if (single !== undefined) return single;
  const middle = (from + to) >> 1;
  const upper = search(graph, segments, middle, to);
  const lower = search(graph, segments, from, middle);
  return graph.test(JGE, segments[middle]!.start, upper, lower);
}

// One value between two equal neighbours is one test for equality.
function oneValue(graph: Graph, segments: readonly Segment<number>[], from: number, to: number): NodeId | undefined {
  if (to - from !== 3) return undefined;
  const [before, value, after] = [segments[from]!, segments[from + 1]!, segments[from + 2]!];
  if (before.node !== after.node || after.start !== value.start + 1) return undefined;
  return graph.test(JEQ, value.start, value.node, before.node);
}

/** The node that finds the segment of a word; `load` puts the loading of the word before the search, where there is one. */
export function searchSegments(
  graph: Graph,
  segments: readonly Segment<number>[],
  load: (node: NodeId) => NodeId,
): NodeId {
  const distinct = merged(segments);
  if (distinct.length === 1) return distinct[0]!.node;
  return load(search(graph, distinct, 0, distinct.length));
}
