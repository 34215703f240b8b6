// A filter as a graph of decisions, and the classic BPF program made of it (linux/filter.h, bpf(4) of BSD).
// Nodes are shared by content; the program is written from its end, so every jump goes forward to what is already there.
import { LapError } from "@lapstrake/base";

/** BPF_MAXINSNS: the kernel refuses longer programs. */
export const MAX_INSTRUCTIONS: number = 4096;

const LD_W_ABS = 0x20;
const ALU_AND_K = 0x54;
const JMP_JA = 0x05;
const RET_K = 0x06;
const MAX_JUMP = 255;

/** Comparisons of the loaded word with a constant, unsigned. */
export const JEQ: number = 0x15;
export const JGT: number = 0x25;
export const JGE: number = 0x35;

/** Index of a node in its graph. */
export type NodeId = number;

interface Node {
  readonly code: number;
  readonly k: number;
  /** What comes next; the branch taken when a comparison holds. −1: none. */
  readonly yes: NodeId;
  readonly no: NodeId;
}

/** Nodes of one filter; the same node twice is one. */
export class Graph {
  readonly #nodes: Node[] = [];
  /** Nodes by their constant: few share one, so looking through them is cheaper than a key made of text. */
  readonly #known = new Map<number, NodeId[]>();

  #add(code: number, k: number, yes: NodeId, no: NodeId): NodeId {
    const candidates = this.#known.get(k) ?? [];
    for (const id of candidates) {
      const node = this.#nodes[id]!;
      if (node.code === code && node.yes === yes && node.no === no) return id;
    }
    const id = this.#nodes.push({ code, k, yes, no }) - 1;
    candidates.push(id);
    if (candidates.length === 1) this.#known.set(k, candidates);
    return id;
  }

  /** Ends with a SECCOMP_RET_* value. */
  ret(value: number): NodeId {
    return this.#add(RET_K, value, -1, -1);
  }

  /** Loads the 32-bit word of `struct seccomp_data` at a byte offset, then goes on. */
  load(offset: number, next: NodeId): NodeId {
    return this.#add(LD_W_ABS, offset, next, -1);
  }

  /** Keeps only these bits of the loaded word, then goes on. */
  and(mask: number, next: NodeId): NodeId {
    return this.#add(ALU_AND_K, mask, next, -1);
  }

  /** Branches on the loaded word; no test is made when both branches are the same. */
  test(code: number, k: number, yes: NodeId, no: NodeId): NodeId {
    return yes === no ? yes : this.#add(code, k, yes, no);
  }

  /** The program that starts at a node; throws `ERR_LAP_SECCOMP_TOO_LONG`. */
  assemble(start: NodeId): Uint8Array {
    const program = new Program();
    // A node's successors were made before it, so the order of making is one in which they can be placed.
    const needed = this.#reachable(start);
    this.#nodes.forEach((node, id) => {
      if (needed.has(id)) program.place(id, node);
    });
    return program.finish();
  }

  #reachable(start: NodeId): Set<NodeId> {
    const needed = new Set([start]);
    for (const id of needed) {
      const { yes, no } = this.#nodes[id]!;
      if (yes >= 0) needed.add(yes);
      if (no >= 0) needed.add(no);
    }
    return needed;
  }
}

// Instructions are kept last first; a position counts from the end, so it never changes.
class Program {
  readonly #code: number[] = [];
  readonly #jumps: number[] = [];
  readonly #k: number[] = [];
  /** Nearest position from which a node's work is done: its own, or that of a copy or bridge. */
  readonly #placed = new Map<NodeId, number>();

  #emit(code: number, k: number, jumps = 0): number {
    if (this.#code.length >= MAX_INSTRUCTIONS) throw tooLong();
    this.#jumps.push(jumps);
    this.#k.push(k);
    return this.#code.push(code) - 1;
  }

  place(id: NodeId, node: Node): void {
    if (node.yes >= 0 && node.no >= 0) {
      this.#reach(node.yes, 1);
      this.#reach(node.no, 0);
    } else if (node.yes >= 0 && this.#distance(node.yes) > 0) {
      this.#emit(JMP_JA, this.#distance(node.yes));
    }
    const jumps = node.no < 0 ? 0 : this.#distance(node.yes) | (this.#distance(node.no) << 8);
    this.#placed.set(id, this.#emit(node.code, node.k, jumps));
  }

  // Instructions between the one that is emitted next and the target.
  #distance(target: NodeId): number {
    return this.#code.length - this.#placed.get(target)! - 1;
  }

  // Conditional jumps reach 255 instructions; beyond, they go over a bridge that is emitted in front of them.
  #reach(target: NodeId, reserve: number): void {
    if (this.#distance(target) + reserve <= MAX_JUMP) return;
    const at = this.#placed.get(target)!;
    const isRet = this.#code[at] === RET_K;
    const bridge = isRet ? this.#emit(RET_K, this.#k[at]!) : this.#emit(JMP_JA, this.#distance(target));
    this.#placed.set(target, bridge);
  }

  finish(): Uint8Array {
    const count = this.#code.length;
    const view = new DataView(new ArrayBuffer(count * 8));
    for (let at = 0; at < count; at++) {
      const from = count - 1 - at;
      view.setUint16(at * 8, this.#code[from]!, true);
      view.setUint16(at * 8 + 2, this.#jumps[from]!, true);
      view.setUint32(at * 8 + 4, this.#k[from]!, true);
    }
    return new Uint8Array(view.buffer);
  }
}

/** The error of a filter that the kernel would not take. */
export function tooLong(): LapError {
  return new LapError(
    "invalidArgument",
    "ERR_LAP_SECCOMP_TOO_LONG",
    `linux.seccomp: the filter needs more than the ${MAX_INSTRUCTIONS} instructions that the kernel takes`,
    { hint: "use fewer rules with argument conditions, or fewer architectures" },
  );
}
