// Image defaults + request -> the program of a container (RecordProcess): entrypoint and command, environment, directory, signal.
import { DEFAULT_STOP_SIGNAL, parseSignal } from "./signals.ts";
import { LapError, type ExecConfig } from "@lapstrake/base";
import type { RecordProcess } from "../state/record.ts";
import type { CreateRequest } from "./request.ts";

const DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const DEFAULT_STOP_TIMEOUT_SEC = 10;

/** Merges as Docker does: an entrypoint of the request drops the image's Cmd. Throws `ERR_LAP_NO_COMMAND`, `ERR_LAP_WORKDIR_INVALID`. */
export function recordProcess(request: CreateRequest, image: ExecConfig, containerHostname: string): RecordProcess {
  const tty = request.tty ?? false;
  return {
    args: processArgs(request, image),
    env: processEnv(request, image, tty, containerHostname),
    cwd: processCwd(request, image),
    user: request.user ?? image.User ?? "",
    tty,
    openStdin: request.openStdin ?? false,
    stopSignal: parseSignal(request.stopSignal ?? image.StopSignal ?? "SIGTERM") ?? DEFAULT_STOP_SIGNAL,
    stopTimeoutSec: request.stopTimeoutSec ?? DEFAULT_STOP_TIMEOUT_SEC,
  };
}

function processArgs(request: CreateRequest, image: ExecConfig): string[] {
  const cleared = request.entrypoint?.length === 1 && request.entrypoint[0] === "";
  const entrypoint = cleared ? [] : (request.entrypoint ?? image.Entrypoint ?? []);
  const given = request.command !== undefined && request.command.length > 0;
  const command = given ? request.command : request.entrypoint === undefined ? (image.Cmd ?? []) : [];
  const args = [...entrypoint, ...command!];
  if (args.length === 0) {
    throw new LapError("invalidArgument", "ERR_LAP_NO_COMMAND", "no command specified", {
      hint: "the image names no program: give one after the image name",
    });
  }
  return args;
}

function processEnv(request: CreateRequest, image: ExecConfig, tty: boolean, hostname: string): string[] {
  const merged = new Map<string, string>();
  const put = (line: string): void => {
    const name = line.split("=", 1)[0]!;
    merged.set(name, line);
  };
  put(DEFAULT_PATH);
  put(`HOSTNAME=${hostname}`);
  if (tty) put("TERM=xterm");
  for (const line of [...(image.Env ?? []), ...(request.env ?? [])]) put(line);
  return [...merged.values()].filter((line) => line.includes("="));
}

function processCwd(request: CreateRequest, image: ExecConfig): string {
  const cwd = request.workdir ?? (image.WorkingDir === undefined || image.WorkingDir === "" ? "/" : image.WorkingDir);
  if (cwd.startsWith("/")) return cwd;
  throw new LapError(
    "invalidArgument",
    "ERR_LAP_WORKDIR_INVALID",
    `the working directory '${cwd}' is invalid, it needs to be an absolute path`,
  );
}
