// One pasta(1) per container: the user's own process that carries packets between a device in the container's network namespace and
// sockets of the machine, with the ports it publishes told at its start. A shell beside it, without privilege, does two things that it does
// not: holds the namespace where pasta, which drops the right to look into other processes first, can open them, and ends it with the supervisor.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { errorCode } from "@lapstrake/base";
import { watchSupervisor, type PublishedPort } from "@lapstrake/core";
import { noUserNetwork } from "./user-network-error.ts";
import { findProgram } from "../find-program.ts";

/** In the container's directory. */
const PID_FILE = "pasta.pid";
const LOG = "pasta.log";
const DEVICE = "tap0";
const TIMEOUT_MS = 20_000;
const STEP_MS = 5;
/** Descriptors of the guard. */
const NET_FD = 3;
const ORDERS_FD = 4;

/** What the container sees: as slirp4netns(1) has it. */
export interface UserAddress {
  readonly address: string;
  readonly bits: number;
  readonly gateway: string;
  readonly resolver: string;
}

/** Its arguments; `holder` has the namespace open. A port stands for itself, with the address of the machine that it is published at. */
export function pastaArguments(holder: number, own: UserAddress, ports: readonly PublishedPort[]): string[] {
  const of = (protocol: string, flag: string): string[] => {
    const specs = ports
      .filter((port) => port.protocol === protocol)
      .map(({ hostIp, hostPort, port }) => `${hostIp === "0.0.0.0" ? "" : `${hostIp}/`}${hostPort}:${port}`);
    return specs.length === 0 ? [flag, "none"] : specs.flatMap((spec) => [flag, spec]);
  };
  return [
    ...["--config-net", "--foreground", "--quiet", "--stderr", "--pid", PID_FILE, "--ns-ifname", DEVICE],
    ...["--address", own.address, "--netmask", String(own.bits), "--gateway", own.gateway],
    ...["--dns-forward", own.resolver],
    // What listens on the machine's loopback is not meant for containers.
    ...["--no-map-gw", "-T", "none", "-U", "none", ...of("tcp", "-t"), ...of("udp", "-u")],
    ...["--netns", `/proc/${holder}/fd/${NET_FD}`],
  ];
}

/** Starts it for the container in `dir` whose first process is `pid`; resolves when the device is up. Throws `ERR_LAP_USER_NETWORK`. */
export async function startPasta(
  dir: string,
  pid: number,
  own: UserAddress,
  ports: readonly PublishedPort[],
): Promise<void> {
  const program = findProgram("pasta");
  if (program === undefined) throw noUserNetwork("pasta", "it is not installed");
  rmSync(join(dir, PID_FILE), { force: true });
  const guard = await startGuard(dir, pid);
  try {
    const child = start(program, dir, pastaArguments(guard.pid!, own, ports));
    (guard.stdio as unknown as Writable[])[ORDERS_FD]!.end(`${child.pid}\n`);
    await ready(child, dir);
  } catch (error) {
    guard.kill("SIGKILL");
    throw error;
  }
}

/** Reads until the supervisor is gone, and then ends what still is that process. */
const GUARD = `echo; exec >&-; read -r p <&${ORDERS_FD}; while read -r _; do :; done; case $(cat /proc/$p/comm) in pasta*|passt*) kill "$p";; esac`;
/** Without capabilities, so that whoever has a few may look into it: ptrace(2), access mode checking. */
const PLAIN = ["--bounding-set=-all", "--inh-caps=-all"];

async function startGuard(dir: string, pid: number): Promise<ChildProcess> {
  const life = await watchSupervisor(dir);
  const space = openSync(`/proc/${pid}/ns/net`, "r");
  try {
    const stdio = [life, "pipe", "ignore", space, "pipe"] as const;
    const child = spawn("setpriv", [...PLAIN, "sh", "-c", GUARD], { cwd: "/", detached: true, stdio: [...stdio] });
    // By then it has given its privilege away.
    await Promise.race([
      once(child.stdout!, "data"),
      once(child, "exit").then(() => Promise.reject(new Error("it ends at once"))),
    ]);
    child.stdout!.destroy();
    child.unref();
    return child;
  } catch (error) {
    throw noUserNetwork("pasta", `setpriv (util-linux) does not start: ${(error as Error).message}`);
  } finally {
    // It has its copies.
    closeSync(space);
    life.destroy();
  }
}

function start(program: string, dir: string, args: readonly string[]): ChildProcess {
  const log = openSync(join(dir, LOG), "w", 0o600);
  try {
    const child = spawn(program, args, { cwd: dir, detached: true, stdio: ["ignore", log, log] });
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

/** It writes its pid when it is ready, and ends when it cannot be. */
async function ready(child: ChildProcess, dir: string): Promise<void> {
  const state = { isOver: false };
  for (const event of ["exit", "error"]) child.once(event, () => (state.isOver = true));
  const deadline = Date.now() + TIMEOUT_MS;
  while (pidIn(dir) === undefined) {
    const isLate = Date.now() > deadline;
    if (isLate) child.kill("SIGKILL");
    if (isLate || state.isOver) throw noUserNetwork("pasta", lastWords(dir));
    await sleep(STEP_MS);
  }
}

function pidIn(dir: string): number | undefined {
  try {
    return Number(readFileSync(join(dir, PID_FILE), "utf8")) || undefined;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** What is not noise: without a system log every line is told to be lost. */
function lastWords(dir: string): string {
  const lines = readFileSync(join(dir, LOG), "utf8").trim().split("\n");
  return (
    lines
      .filter((line) => !/^Failed to send \d+ bytes to syslog$/.test(line))
      .slice(-2)
      .join("; ") || "it says nothing"
  );
}
