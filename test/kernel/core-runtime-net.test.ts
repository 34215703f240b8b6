// lap-runtime and network namespaces: one of the machine's beside a user namespace, and devices of the host that a container gets.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import type { RuntimeSpec } from "@lapstrake/base";
import { needs } from "../support/facts.ts";
import { until } from "../support/until.ts";
import { Bundle, newId, spec } from "./core-bundle.ts";

const PROGRAMS = ["/bin/sh", "/bin/sleep", "/bin/cat"];

let bundle: Bundle;

function netOf(pid: number | "self"): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return ""; // not yet, or no longer
  }
}

const pidOf = (id: string): number => (JSON.parse(bundle.lap("state", id).stdout) as { pid: number }).pid;

needs("root", "native").describe("lap-runtime and network namespaces", () => {
  beforeEach(() => {
    bundle = new Bundle(PROGRAMS);
  });
  afterEach(() => bundle.end());

  needs("command:unshare").test(
    "a user namespace, new or joined, beside a network namespace of the machine's",
    async () => {
      const ids = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
      // Only the owner of a network namespace may mount its sysfs.
      const base = spec(["sleep", "100"]);
      const mounts = base.mounts!.filter(({ type }) => type !== "sysfs" && type !== "cgroup");
      const others = base.linux!.namespaces!.filter(({ type }) => type !== "network");
      const foreign = spawn("unshare", ["--net", "sleep", "100"]);
      try {
        await until("it has a namespace", () => netOf("self") !== netOf(foreign.pid!) && netOf(foreign.pid!) !== "");
        const network = { type: "network" as const, path: `/proc/${foreign.pid!}/ns/net` };
        const config = (args: readonly string[], user: { type: "user"; path?: string }, own: object): RuntimeSpec => {
          const linux = { ...base.linux, ...own, namespaces: [...others, network, user] };
          return { ...spec(args, { mounts }), linux: { ...linux, maskedPaths: [], readonlyPaths: [] } };
        };
        const first = bundle.start(config(["sleep", "100"], { type: "user" }, { uidMappings: ids, gidMappings: ids }));
        const pid = pidOf(first);
        expect(netOf(pid)).toBe(netOf(foreign.pid!));
        const second = bundle.start(config(["sleep", "100"], { type: "user", path: `/proc/${pid}/ns/user` }, {}));
        expect(netOf(pidOf(second))).toBe(netOf(foreign.pid!));
        expect(bundle.lap("exec", second, "cat", "/proc/self/uid_map").stdout).toMatch(/^\s*0\s+100000\s+65536\n$/);
      } finally {
        foreign.kill("SIGKILL");
      }
    },
  );

  // In a network namespace of the test's own, which is the machine's for this runtime.
  needs("command:ip", "command:unshare").test(
    "netDevices: moved, renamed, with their addresses; as they were when the start fails",
    () => {
      const config = (
        args: readonly string[],
        netDevices: NonNullable<RuntimeSpec["linux"]>["netDevices"],
      ): RuntimeSpec => {
        const base = spec(args);
        return { ...base, linux: { ...base.linux, netDevices: netDevices! } };
      };
      const setup =
        "ip link add lapd0 type veth peer name lapd1 && ip addr add 10.9.8.7/24 brd 10.9.8.99 dev lapd0 && ip addr add fd00:9::7/64 dev lapd0 nodad && ip link set lapd0 mtu 1400 up";
      const inOwn = (script: string, ...words: string[]): string => {
        const args = ["--net", "sh", "-c", `${setup} && ${script}`, "sh", ...words];
        const { stdout, stderr } = spawnSync("unshare", args, { encoding: "utf8", timeout: 30_000 });
        return stdout + stderr;
      };
      const look = "cat /sys/class/net/data0/mtu /proc/net/if_inet6 /proc/net/fib_trie; cat /sys/class/net/data0/flags";
      const run = (): string[] => {
        const id = newId();
        return bundle.command("run", "--bundle", bundle.dir, id);
      };
      bundle.writeConfig(config(["sh", "-c", look], { lapd0: { name: "data%d" } }));
      const seen = inOwn('"$@"; ip -o link show lapd0', ...run());
      expect(seen).toMatch(/^1400\n/);
      expect(seen).toMatch(/^fd000009000000000000000000000007 .* data0$/m);
      expect(seen).toContain("10.9.8.7");
      expect(seen).toMatch(/^0x1\d\d3$/m);
      expect(seen).toContain('"lapd0" does not exist');
      bundle.writeConfig(config(["nosuch"], { lapd0: { name: "data0" } }));
      const after = inOwn('"$@"; ip -o addr show lapd0; ip -o link show lapd0', ...run());
      expect(after).toContain("executable file not found");
      expect(after).toContain("inet 10.9.8.7/24 brd 10.9.8.99 ");
      expect(after).toContain("inet6 fd00:9::7/64");
      expect(after).toMatch(/<.*\bUP\b.*> mtu 1400 /);
      // Moved, but the container takes no address of IPv6.
      const refusing = config(["true"], { lapd0: {} });
      const sysctl = { "net.ipv6.conf.default.disable_ipv6": "1" };
      bundle.writeConfig({ ...refusing, linux: { ...refusing.linux, sysctl } });
      const refused = inOwn('"$@"; ip -o addr show lapd0; ip -o link show lapd0', ...run());
      expect(refused).toContain("linux.netDevices.lapd0: moving it failed");
      expect(refused).toContain("inet 10.9.8.7/24 brd 10.9.8.99 ");
      expect(refused).toContain("inet6 fd00:9::7/64");
      expect(refused).toMatch(/<.*\bUP\b.*> mtu 1400 /);
      bundle.writeConfig(config(["sleep", "1"], { lapd0: { name: "lo" } }));
      expect(inOwn('"$@"; ip -o link show lapd0', ...run())).toMatch(/: lapd0@.*has a device "lo" already/s);
      bundle.writeConfig(config(["sleep", "1"], { lapd9: {} }));
      expect(inOwn('"$@"', ...run())).toContain("linux.netDevices.lapd9: there is no such device");
      expect(existsSync(join(bundle.dir, "state", newId()))).toBe(false);
    },
  );
});
