// A machine whose resolver listens on its loopback only (dnsmasq, unbound): containers of the default network ask through the keeper. Stood
// for by a network namespace and a mount namespace with a resolv.conf of its own.
import { spawn, type ChildProcess } from "node:child_process";
import type { Socket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execPath } from "node:process";
import { openUdpSocket, raiseLoopback } from "@lapstrake/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { commandLine, processes } from "../support/processes.ts";
import { until } from "../support/until.ts";
import { openSpace, type Space } from "./core-net-spaces.ts";
import { dnsReply, EVERYWHERE } from "./core-net-upstream.ts";

const ASK = `require("node:dns").resolve4("outside.example", (error, all) => console.log(error?.code ?? all[0]))`;
/** Where systemd-resolved would name others than itself. */
const SYSTEMD = "/run/systemd/resolve/resolv.conf";
const HOLD = `mount --bind "$1" /etc/resolv.conf; [ ! -e ${SYSTEMD} ] || mount --bind "$1" ${SYSTEMD}; echo; exec sleep 9999`;

const FACTS = ["root", "overlayfs", "native", "command:unshare", "command:nsenter"] as const;
needs(...FACTS).describe("a resolver on the machine's loopback", () => {
  let folder: string;
  let host: Space, upstream: Socket, mounts: ChildProcess, store: LapStore;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lap-resolver-"));
    host = await openSpace();
    raiseLoopback({ fd: host.fd });
    upstream = await openUdpSocket("127.0.0.1", 53, host.fd);
    upstream.on("message", (query, { port, address }) => upstream.send(dnsReply(query), port, address));
    const file = join(folder, "resolv.conf");
    writeFileSync(file, "nameserver 127.0.0.1\n");
    mounts = spawn("unshare", ["--mount", "sh", "-ec", HOLD, "sh", file], { stdio: ["ignore", "pipe", "inherit"] });
    await once(mounts.stdout!, "data");
    store = new LapStore({ netns: `/proc/${host.pid}/ns/net`, mounts: `/proc/${mounts.pid}/ns/mnt` });
    store.ok("run", "-d", "--name", "box", "host", "sleep", "1000");
  });
  afterAll(async () => {
    await store?.close();
    mounts?.kill("SIGKILL");
    upstream?.close();
    host?.[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  // Beside us: we are the resolver.
  const answer = async (): Promise<string> => (await store.lap("exec", "box", execPath, "-e", ASK)).stdout.trim();
  const keepers = (): number[] => processes(`_keeper ${store.root}`);
  /** The shell that would start another goes first. */
  const killKeeper = async (): Promise<void> => {
    const isShell = (pid: number): boolean => commandLine(pid).startsWith("/bin/sh");
    const all = keepers().toSorted((a, b) => Number(isShell(b)) - Number(isShell(a)));
    expect(all).toHaveLength(2);
    for (const pid of all) process.kill(pid, "SIGKILL");
    await until("no keeper", () => keepers().length === 0);
  };

  it("is reached from the default network", async () => {
    expect(store.ok("exec", "box", "cat", "/etc/resolv.conf")).toMatch(/^nameserver 127\.0\.0\.11$/m);
    expect(await answer()).toBe(EVERYWHERE);
  });

  it("is reached again after the keeper was killed, once somebody looks", async () => {
    await killKeeper();
    store.ok("ps");
    await until("an answer", async () => (await answer()) === EVERYWHERE);
  });

  it("is reached by who is connected while there is no keeper", async () => {
    store.ok("network", "disconnect", "bridge", "box");
    await killKeeper();
    store.ok("network", "connect", "bridge", "box");
    expect(await answer()).toBe(EVERYWHERE);
  });
});
