// A plan as bytes: the header and the operations that native/src/plan.c decodes.
import { OP_CODES, OPS } from "./ops.ts";
import { PLAN_VERSION, type LaunchPlan, type PlanOp } from "./types.ts";
import { PlanWriter } from "./writer.ts";

const MAGIC = 0x5050414c;

const PTY = 1;
const OPEN_STDIN = 2;
const STDIN_ONCE = 4;
const FOREGROUND = 8;
const INITIAL_CLIENT = 16;
const UNSUPERVISED = 32;
const INHERIT = 64;
const GATE = 128;
const DENY_SETGROUPS = 256;
const LEASHED = 512;
const GUARDED = 1024;

const CLIENT_STDIN = 1;
const CLIENT_STDOUT = 2;
const CLIENT_STDERR = 4;

function headerFlags(plan: LaunchPlan): number {
  const { options } = plan;
  return (
    (options.stdio === "pty" ? PTY : 0) |
    (options.openStdin ? OPEN_STDIN : 0) |
    (options.stdinOnce ? STDIN_ONCE : 0) |
    (options.foreground ? FOREGROUND : 0) |
    (options.initialClient ? INITIAL_CLIENT : 0) |
    (options.oci?.supervised === false ? UNSUPERVISED : 0) |
    (options.oci?.inheritStdio === true ? INHERIT : 0) |
    (options.oci?.gate === true ? GATE : 0) |
    (plan.denySetgroups ? DENY_SETGROUPS : 0) |
    (options.leashed === true ? LEASHED : 0) |
    (options.guarded === true ? GUARDED : 0)
  );
}

function attachFlags(plan: LaunchPlan): number {
  const attach = plan.options.attach ?? { stdin: true, stdout: true, stderr: true };
  return (
    (attach.stdin && plan.options.openStdin ? CLIENT_STDIN : 0) |
    (attach.stdout ? CLIENT_STDOUT : 0) |
    (attach.stderr ? CLIENT_STDERR : 0)
  );
}

function writeHeader(out: PlanWriter, plan: LaunchPlan): void {
  const { options } = plan;
  out.u32(headerFlags(plan));
  out.u64(plan.cloneFlags);
  out.str(options.containerDir);
  out.str(options.id);
  out.str(options.log?.path ?? "");
  out.u64(options.log?.maxBytes ?? 0);
  out.u32(options.log?.maxFiles ?? 1);
  out.str(options.log?.attrs ?? "");
  out.u64(options.log?.bufferBytes ?? 0);
  out.strs(options.reapArgv);
  out.u32(options.ttySize?.rows ?? 0);
  out.u32(options.ttySize?.cols ?? 0);
  out.u32(attachFlags(plan));
  out.str(plan.cgroups.v2 ?? "");
  out.str(plan.cgroups.freezerFile ?? "");
  out.str(plan.cgroups.oomFile ?? "");
  out.str(plan.pidNamespace ?? "");
  out.str(plan.userNamespace ?? "");
  out.strs(plan.earlyNamespaces);
  out.str(options.oci?.consoleSocket ?? "");
  out.str(options.oci?.pidfdSocket ?? "");
  out.u32(options.oci?.preserveFds ?? 0);
  out.u32s(plan.uidMap);
  out.u32s(plan.gidMap);
  out.str(plan.idHelpers?.uid ?? "");
  out.str(plan.idHelpers?.gid ?? "");
  out.u32(plan.ops.length);
}

function writeOp(out: PlanWriter, op: PlanOp): void {
  const fields = OPS[op.op];
  const code = OP_CODES.get(op.op);
  if (fields === undefined || code === undefined) throw new RangeError(`unknown operation "${op.op}"`);
  out.u32(code);
  const lengthAt = out.length;
  out.u32(0);
  for (const [name, type] of Object.entries(fields)) {
    const value = op[name];
    if (value === undefined) throw new RangeError(`operation "${op.op}" lacks "${name}"`);
    out.field(type, value);
  }
  out.setU32(lengthAt, out.length - lengthAt - 4);
}

/** The plan's wire form; throws RangeError on a text with a NUL byte. */
export function encodePlan(plan: LaunchPlan): Uint8Array {
  const out = new PlanWriter();
  out.u32(MAGIC);
  out.u32(PLAN_VERSION);
  const totalAt = out.length;
  out.u32(0);
  writeHeader(out, plan);
  for (const op of plan.ops) writeOp(out, op);
  out.setU32(totalAt, out.length);
  return out.finish();
}
