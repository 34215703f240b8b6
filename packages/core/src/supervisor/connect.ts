// Connecting to ctl.sock: the directory is opened and the socket named through its descriptor, since sun_path holds 108 bytes.
import { closeSync, constants, openSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { LapError } from "@lapstrake/base";

/** A connected socket; throws `ERR_LAP_NOT_RUNNING` when no supervisor listens there. */
export async function connectSupervisor(containerDir: string): Promise<Socket> {
  let fd: number;
  try {
    fd = openSync(containerDir, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (cause) {
    throw notRunning(containerDir, cause);
  }
  try {
    return await new Promise<Socket>((resolve, reject) => {
      const socket = connect(`/proc/self/fd/${fd}/ctl.sock`);
      socket.once("connect", () => resolve(socket));
      socket.once("error", reject);
    });
  } catch (cause) {
    throw notRunning(containerDir, cause);
  } finally {
    closeSync(fd);
  }
}

function notRunning(containerDir: string, cause: unknown): LapError {
  return new LapError("failedPrecondition", "ERR_LAP_NOT_RUNNING", `no supervisor answers in "${containerDir}"`, {
    cause,
  });
}
