// `exec` in a Wasm container: a small program of ours joins the payload's sandbox and hands the order over.
import { LapError, type ProcessSpec } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import type { ExecRequest } from "../containers/exec.ts";
import type { ContainerRecord } from "../state/record.ts";
import { ALONE_FLAG, EXEC_FLAG } from "./wasm-payload.ts";

/** A payload listens well within this. */
const STARTING_MS = 10_000;

/** The process to add to the payload's container. Throws `ERR_LAP_WASM_OPTION` for what no guest can have. */
export function wasmExec(
  { wasmArgv }: EngineContext,
  { process }: ContainerRecord,
  own: ProcessSpec,
  request: ExecRequest,
): ProcessSpec {
  for (const [is, flag] of [
    [request.user !== undefined, "--user"],
    [request.privileged === true, "--privileged"],
  ] as const) {
    if (is)
      throw new LapError("invalidArgument", "ERR_LAP_WASM_OPTION", `exec in a Wasm container does not take ${flag}`);
  }
  const env = Object.fromEntries([...process.env, ...(request.env ?? [])].map(splitLine));
  // One that runs alone never listens.
  const patienceMs = own.args?.includes(ALONE_FLAG) === true ? 0 : STARTING_MS;
  const order = { args: request.args, env, cwd: request.workdir ?? process.cwd, patienceMs };
  return { ...own, terminal: request.tty ?? false, args: [...wasmArgv, EXEC_FLAG, JSON.stringify(order)] };
}

function splitLine(line: string): [string, string] {
  const at = line.indexOf("=");
  return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
}
