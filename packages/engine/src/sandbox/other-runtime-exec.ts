// `exec` in a container of another runtime: that adds the process (`exec --detach`), and a helper of ours supervises it like any exec.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileOtherExec, hostFacts, launch, type LaunchOptions, type Launched } from "@lapstrake/core";
import type { Logger, ProcessSpec, RuntimeSpec } from "@lapstrake/base";
import type { ContainerRecord } from "../state/record.ts";
import { runtimeError } from "./other-runtime-error.ts";
import { CONSOLE_SOCKET, PID_FILE, RUNTIME_LOG, runtimeArgs, runtimeEnvironment } from "./other-runtime-command.ts";
import { completeProcess } from "./other-runtime-start.ts";

const PROCESS_FILE = "process.json";

/** Starts the process; `dir` is the container's directory, that of `options` the exec's own. Throws what the runtime says. */
export async function execOther(
  record: ContainerRecord,
  dir: string,
  spec: RuntimeSpec,
  process: ProcessSpec,
  options: LaunchOptions,
  logger: Logger,
): Promise<Launched> {
  const execDir = options.containerDir;
  const facts = hostFacts();
  writeFileSync(join(execDir, PROCESS_FILE), JSON.stringify(completeProcess(process, facts, logger)));
  const console = options.stdio === "pty" ? ["--console-socket", CONSOLE_SOCKET] : [];
  const words = ["exec", "--process", PROCESS_FILE, "--detach", "--pid-file", PID_FILE, ...console, record.id];
  const commands = {
    dir: execDir,
    env: runtimeEnvironment(),
    create: [...runtimeArgs(record, dir), ...words],
    pidFile: PID_FILE,
  };
  const bundle = { spec, rootfs: { kind: "dir", path: dir } } as const;
  try {
    return await launch(compileOtherExec(bundle, commands, facts, options));
  } catch (error) {
    throw runtimeError(error, join(execDir, RUNTIME_LOG), "exec");
  }
}
