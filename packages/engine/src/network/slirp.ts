// One slirp4netns(1) per container: the user's own process that carries packets between a device in the container's network namespace
// and sockets of the machine. It ends with the supervisor, whose control socket is what it watches (`--exit-fd`).
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { LapError } from "@lapstrake/base";
import { watchSupervisor } from "@lapstrake/core";
import { noUserNetwork } from "./user-network-error.ts";
import { findProgram } from "../find-program.ts";

/** In the container's directory. */
export const SLIRP_SOCKET = "slirp.sock";
const SLIRP_LOG = "slirp.log";

const MTU = 65_520;
const TIMEOUT_MS = 20_000;
/** Descriptors of the process. */
const EXIT_FD = 3;
const READY_FD = 4;

function argumentsFor(pid: number): string[] {
  return [
    "--configure",
    `--mtu=${MTU}`,
    // What listens on the machine's loopback is not meant for containers.
    "--disable-host-loopback",
    "--enable-sandbox",
    "--enable-seccomp",
    `--exit-fd=${EXIT_FD}`,
    `--ready-fd=${READY_FD}`,
    `--api-socket=${SLIRP_SOCKET}`,
    `--userns-path=/proc/${pid}/ns/user`,
    "--netns-type=path",
    `/proc/${pid}/ns/net`,
    "tap0",
  ];
}

/** Starts it for the container in `dir` whose first process is `pid`; resolves when the device is up. Throws `ERR_LAP_USER_NETWORK`. */
export async function startSlirp(dir: string, pid: number): Promise<void> {
  const program = findProgram("slirp4netns");
  if (program === undefined) throw failed("it is not installed");
  const life = await watchSupervisor(dir);
  try {
    await ready(start(program, dir, pid, life), dir);
  } finally {
    // The process has its copy.
    life.destroy();
  }
}

function start(program: string, dir: string, pid: number, life: Socket): ChildProcess {
  const log = openSync(join(dir, SLIRP_LOG), "w", 0o600);
  try {
    // In the directory, for sun_path holds 108 bytes.
    const stdio = ["ignore", log, log, life, "pipe"] as const;
    const child = spawn(program, argumentsFor(pid), { cwd: dir, detached: true, stdio: [...stdio] });
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

function ready(child: ChildProcess, dir: string): Promise<void> {
  const pipe = child.stdio[READY_FD] as Readable;
  return new Promise((resolve, reject) => {
    const give = (): void => reject(failed(reason(dir)));
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      give();
    }, TIMEOUT_MS);
    const settle = (then: () => void): void => {
      clearTimeout(timer);
      pipe.destroy();
      then();
    };
    pipe.once("data", () => settle(resolve));
    // An end without a byte.
    pipe.once("end", () => settle(give));
    child.once("error", (error) => settle(() => reject(failed(error.message))));
  });
}

/** Its last words. */
function reason(dir: string): string {
  return readFileSync(join(dir, SLIRP_LOG), "utf8").trim().split("\n").slice(-2).join("; ") || "it says nothing";
}

function failed(text: string): LapError {
  return noUserNetwork("slirp4netns", text);
}
