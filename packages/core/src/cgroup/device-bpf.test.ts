// The BPF device program against the rules it was made from, by a small interpreter of the instructions it uses.
import fc from "fast-check";
import { expect, test } from "vitest";
import { deviceProgram } from "./device-bpf.ts";
import { deviceRules, type DeviceRule } from "./devices.ts";

const ACCESS = { m: 1, r: 2, w: 4 } as const;
type Access = keyof typeof ACCESS;

interface Request {
  readonly type: "b" | "c";
  readonly major: number;
  readonly minor: number;
  readonly access: Access;
}

function interpret(program: Uint8Array, request: Request): number {
  const code = new DataView(program.buffer);
  const context = [(request.type === "c" ? 2 : 1) | (ACCESS[request.access] << 16), request.major, request.minor];
  const reg = Array.from({ length: 11 }, () => 0);
  for (let at = 0; ; at++) {
    const op = code.getUint8(at * 8);
    const dst = code.getUint8(at * 8 + 1) & 15;
    const src = code.getUint8(at * 8 + 1) >> 4;
    const off = code.getInt16(at * 8 + 2, true);
    const imm = code.getInt32(at * 8 + 4, true);
    if (op === 0x61) reg[dst] = context[off / 4]!;
    else if (op === 0x54) reg[dst] = reg[dst]! & imm;
    else if (op === 0x74) reg[dst] = reg[dst]! >>> imm;
    else if (op === 0xb4) reg[dst] = imm;
    else if (op === 0xbc) reg[dst] = reg[src]!;
    else if (op === 0x56) at += reg[dst] === imm ? 0 : off;
    else if (op === 0x95) return reg[0]!;
    else throw new Error(`opcode ${op}`);
  }
}

function verdict(rules: readonly DeviceRule[], request: Request): number {
  const hit = rules.findLast(
    (rule) =>
      (rule.type === "a" || rule.type === request.type) &&
      (rule.major === undefined || rule.major === request.major) &&
      (rule.minor === undefined || rule.minor === request.minor) &&
      rule.access.includes(request.access),
  );
  return hit?.allow === true ? 1 : 0;
}

const number = fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined });
const rule: fc.Arbitrary<DeviceRule> = fc.record({
  allow: fc.boolean(),
  type: fc.constantFrom("a" as const, "b" as const, "c" as const),
  major: number,
  minor: number,
  access: fc.constantFrom("r", "w", "m", "rw", "rm", "rwm"),
});
const request: fc.Arbitrary<Request> = fc.record({
  type: fc.constantFrom("b" as const, "c" as const),
  major: fc.integer({ min: 0, max: 3 }),
  minor: fc.integer({ min: 0, max: 3 }),
  access: fc.constantFrom("r" as const, "w" as const, "m" as const),
});

test("the program decides as the last matching rule does", () => {
  fc.assert(
    fc.property(
      fc.array(rule, { maxLength: 6 }),
      fc.array(request, { minLength: 1, maxLength: 20 }),
      (rules, requests) => {
        const program = deviceProgram(rules);
        for (const one of requests) expect(interpret(program, one)).toBe(verdict(rules, one));
      },
    ),
  );
});

test("the default rules open the six devices and nothing else", () => {
  const program = deviceProgram(deviceRules({ ociVersion: "1.2.0" }));
  expect(interpret(program, { type: "c", major: 1, minor: 3, access: "w" })).toBe(1);
  expect(interpret(program, { type: "c", major: 1, minor: 1, access: "r" })).toBe(0);
  expect(interpret(program, { type: "b", major: 8, minor: 0, access: "r" })).toBe(0);
});
