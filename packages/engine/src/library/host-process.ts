// Programs in containers of this machine as StartedProcess: one in a container of its own (`run`), or one more in a running box (`exec`).
// Each is on a leash: it dies with this program's connection to it.
import type { Attachment } from "@lapstrake/core";
import { execContainer } from "../containers/exec.ts";
import type { Engine } from "../engine.ts";
import type { ContainerRecord } from "../state/record.ts";
import { createPulling } from "./host-create.ts";
import { createRequest, envLines } from "./host-request.ts";
import type { Encoding, StartedProcess } from "./process-types.ts";
import type { StartProcess } from "./process.ts";
import type { ExecOptions, RunOptions } from "./types.ts";

/** Starts `args` in a new container of `image`; the container goes when it has ended. */
export function startRun<E extends Encoding>(
  engine: Engine,
  image: string,
  args: readonly string[],
  options: RunOptions<E>,
): StartProcess {
  return async (signal) => {
    const stdin = options.stdin !== undefined;
    const request = { ...createRequest(image, options, args), autoRemove: true, openStdin: stdin };
    const record = await createPulling(engine, request, { transient: true, held: true }, options, signal);
    try {
      const { attachment } = await engine.start(record, {
        attach: { stdin, stdout: true, stderr: true },
        foreground: true,
        leashed: true,
        log: false,
      });
      return processOf(attachment!, async () => {
        await engine.reap(record);
        attachment!.reaped();
      });
    } catch (error) {
      await engine.remove(record, { force: true });
      throw error;
    }
  };
}

/** Starts `args` in the running container of `record()`. */
export function startExec<E extends Encoding>(
  engine: Engine,
  record: () => ContainerRecord,
  args: readonly string[],
  options: ExecOptions<E>,
): StartProcess {
  return async () => {
    const { env, cwd, user, stdin } = options;
    const exec = await execContainer(engine, record(), {
      args,
      openStdin: stdin !== undefined,
      leashed: true,
      ...(env === undefined ? {} : { env: envLines(env) }),
      ...(cwd === undefined ? {} : { workdir: cwd }),
      ...(user === undefined ? {} : { user }),
    });
    const attachment = exec.launched.attachment!;
    return processOf(attachment, () => {
      exec[Symbol.dispose]();
      return Promise.resolve();
    });
  };
}

function processOf(attachment: Attachment, finish: () => Promise<void>): StartedProcess {
  return {
    stdout: attachment.stdout,
    stderr: attachment.stderr,
    exited: attachment.exited,
    writeStdin: (chunk) => attachment.writeStdin(chunk),
    endStdin: () => attachment.endStdin(),
    kill: (signal) => attachment.signal(signal),
    finish,
  };
}
