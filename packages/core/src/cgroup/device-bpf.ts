// The device rules of a v2 cgroup as a BPF program: eBPF instruction set (Documentation/bpf/standardization), bpf(2)
// BPF_PROG_TYPE_CGROUP_DEVICE. The last matching rule decides, so the program tests the rules from the last to the first.
import { closeSync, openSync } from "node:fs";
import { ERRNO, systemError } from "@lapstrake/base";
import { koffi } from "../sys/koffi.ts";
import { kernelSyscalls } from "../sys/kernel.ts";
import type { DeviceRule } from "./devices.ts";

const BPF_PROG_LOAD = 5;
const BPF_PROG_ATTACH = 8;
const PROG_TYPE_CGROUP_DEVICE = 15;
const ATTACH_CGROUP_DEVICE = 6;
const ALLOW_MULTI = 2;
const LOAD_TRIES = 50;

// Registers: r2 type, r3 access, r4 major, r5 minor.
const LDX_W = 0x61;
const AND_K = 0x54;
const RSH_K = 0x74;
const MOV_K = 0xb4;
const MOV_X = 0xbc;
const JNE_K = 0x56;
const EXIT = 0x95;

const DEV_BLOCK = 1;
const DEV_CHAR = 2;
const ACCESS: Readonly<Record<string, number>> = { m: 1, r: 2, w: 4 };

type Instruction = readonly [code: number, dst: number, src: number, off: number, imm: number];

const PROLOGUE: readonly Instruction[] = [
  [LDX_W, 2, 1, 0, 0],
  [AND_K, 2, 0, 0, 0xffff],
  [LDX_W, 3, 1, 0, 0],
  [RSH_K, 3, 0, 0, 16],
  [LDX_W, 4, 1, 4, 0],
  [LDX_W, 5, 1, 8, 0],
];

function accessMask(access: string): number {
  return [...access].reduce((mask, letter) => mask | (ACCESS[letter] ?? 0), 0);
}

// A rule matches when every asked access is within its mask: asked & ~mask is 0.
function ruleTests(rule: DeviceRule): Instruction[] {
  const tests: Instruction[] = [];
  const mask = accessMask(rule.access);
  if (rule.type !== "a") tests.push([JNE_K, 2, 0, 0, rule.type === "c" ? DEV_CHAR : DEV_BLOCK]);
  if (mask !== 7 && mask !== 0) tests.push([MOV_X, 1, 3, 0, 0], [AND_K, 1, 0, 0, ~mask & 7], [JNE_K, 1, 0, 0, 0]);
  if (rule.major !== undefined) tests.push([JNE_K, 4, 0, 0, rule.major]);
  if (rule.minor !== undefined) tests.push([JNE_K, 5, 0, 0, rule.minor]);
  return tests;
}

function ruleCode(rule: DeviceRule): Instruction[] {
  const tests = ruleTests(rule);
  const verdict: Instruction[] = [
    [MOV_K, 0, 0, 0, rule.allow ? 1 : 0],
    [EXIT, 0, 0, 0, 0],
  ];
  const end = tests.length + verdict.length;
  const jumps = tests.map(([code, dst, src, off, imm], index): Instruction => [
    code,
    dst,
    src,
    code === JNE_K ? end - index - 1 : off,
    imm,
  ]);
  return [...jumps, ...verdict];
}

/** The program's bytes, eight per instruction. */
export function deviceProgram(rules: readonly DeviceRule[]): Uint8Array {
  const code = [...PROLOGUE];
  for (const rule of [...rules].reverse()) {
    code.push(...ruleCode(rule));
    if (ruleTests(rule).length === 0) break;
  }
  const last = rules.length > 0 && ruleTests(rules[0]!).length === 0;
  if (!last) code.push([MOV_K, 0, 0, 0, 0], [EXIT, 0, 0, 0, 0]);
  const bytes = new DataView(new ArrayBuffer(code.length * 8));
  code.forEach(([op, dst, src, off, imm], index) => {
    bytes.setUint8(index * 8, op);
    bytes.setUint8(index * 8 + 1, dst | (src << 4));
    bytes.setInt16(index * 8 + 2, off, true);
    bytes.setInt32(index * 8 + 4, imm | 0, true);
  });
  return new Uint8Array(bytes.buffer);
}

function bpf(command: number, attr: Uint8Array): number {
  return kernelSyscalls().call("bpf", command, attr, attr.length);
}

function load(program: Uint8Array): number {
  const attr = new DataView(new ArrayBuffer(128));
  const license = Buffer.from("Apache-2.0\0".padEnd(4096, "\0"));
  attr.setUint32(0, PROG_TYPE_CGROUP_DEVICE, true);
  attr.setUint32(4, program.length / 8, true);
  attr.setBigUint64(8, koffi().address(program), true);
  attr.setBigUint64(16, koffi().address(license), true);
  const request = new Uint8Array(attr.buffer);
  // The verifier gives up when a signal waits for this thread, which it takes between two calls.
  let fd = -ERRNO.EAGAIN;
  for (let tries = 0; fd === -ERRNO.EAGAIN && tries < LOAD_TRIES; tries++) fd = bpf(BPF_PROG_LOAD, request);
  if (fd < 0) throw systemError(-fd, "bpf");
  return fd;
}

/** Loads the rules and attaches them to a v2 directory; they live as long as it does. Throws a system error. */
export function attachDeviceProgram(rules: readonly DeviceRule[], dir: string): void {
  const program = load(deviceProgram(rules));
  const target = openSync(dir, "r");
  try {
    const attr = new DataView(new ArrayBuffer(128));
    attr.setUint32(0, target, true);
    attr.setUint32(4, program, true);
    attr.setUint32(8, ATTACH_CGROUP_DEVICE, true);
    attr.setUint32(12, ALLOW_MULTI, true);
    const ret = bpf(BPF_PROG_ATTACH, new Uint8Array(attr.buffer));
    if (ret < 0) throw systemError(-ret, "bpf", dir);
  } finally {
    closeSync(target);
    closeSync(program);
  }
}
