// A failed launch as the error that a caller sees; the texts of the exec failures are runc's (engines read them).
import { errnoName, LapError } from "@lapstrake/base";
import type { LaunchPlan } from "../plan/types.ts";

const KIND_NOT_FOUND = 1;
const KIND_PERMISSION = 2;

/** What the helper said: native/src/main.c report_failure. */
export interface LaunchFailure {
  /** Index into `plan.ops`; meaningless when the failure came before them. */
  readonly opIndex: number;
  readonly op: string;
  /** Positive errno. */
  readonly errno: number;
  readonly detail: string;
  readonly kind: number;
}

/** Decodes a FAILED frame. */
export function decodeFailure(payload: Buffer, plan: LaunchPlan): LaunchFailure {
  const opIndex = payload.readUInt32BE(0);
  return {
    opIndex,
    op: plan.ops[opIndex]?.op ?? "start",
    errno: payload.readUInt32BE(4),
    kind: payload.readUInt32BE(8),
    detail: `${hookPrefix(plan, opIndex)}${payload.toString("utf8", 12).trimEnd()}`,
  };
}

// runc's words: which of the hooks, of which kind.
function hookPrefix(plan: LaunchPlan, opIndex: number): string {
  const op = plan.ops[opIndex];
  if (op?.op !== "hook") return "";
  const before = plan.ops.slice(0, opIndex).filter((one) => one.op === "hook" && one["status"] === op["status"]);
  const kind = op["status"] === "creating" ? "createContainer" : "startContainer";
  return `error running ${kind} hook #${before.length}: `;
}

/** `ERR_LAP_EXEC_NOT_FOUND` (127), `ERR_LAP_EXEC_PERMISSION` (126) or `ERR_LAP_LAUNCH` (125). */
export function launchError(failure: LaunchFailure): LapError {
  const detail = { opIndex: failure.opIndex, op: failure.op, errno: errnoName(failure.errno) };
  if (failure.kind === KIND_NOT_FOUND)
    return new LapError("notFound", "ERR_LAP_EXEC_NOT_FOUND", failure.detail, { detail });
  if (failure.kind === KIND_PERMISSION) {
    return new LapError("permissionDenied", "ERR_LAP_EXEC_PERMISSION", failure.detail, { detail });
  }
  const isExec = failure.detail.startsWith("exec: ") || failure.op === "hook";
  const text = isExec ? failure.detail : `${failure.op}: ${failure.detail}: ${errnoName(failure.errno)}`;
  return new LapError("internal", "ERR_LAP_LAUNCH", text, { detail });
}
