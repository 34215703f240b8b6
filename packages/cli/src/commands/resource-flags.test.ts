import { describe, expect, it } from "vitest";
import { parseCommand, readFlags } from "../args/parse.ts";
import { parseDevice, parseUlimit, resourceRequest } from "./resource-flags.ts";
import { createCommand } from "./run.ts";

function requested(...argv: string[]): object {
  return resourceRequest(readFlags(parseCommand(createCommand, [...argv, "image"]).flags));
}

describe("limits of run and create", () => {
  it.each([
    [["-m", "64m", "--memory-swap", "-1"], { memoryBytes: 64 * 1024 ** 2, memorySwapBytes: -1 }],
    [["--cpus", "0", "-c", "512", "--memory-swappiness", "-1"], { cpuShares: 512 }],
    [["--ulimit", "nofile=1", "--ulimit", "nofile=2:4"], { ulimits: [{ name: "nofile", soft: 2, hard: 4 }] }],
    [["--sysctl", "net.core.somaxconn=1024"], { sysctls: { "net.core.somaxconn": "1024" } }],
    [["--device-read-bps", "/dev/sda:1mb"], { deviceReadBps: [{ path: "/dev/sda", value: 1024 ** 2 }] }],
    [["--device", "/dev/fuse"], { devices: [{ source: "/dev/fuse", target: "/dev/fuse", permissions: "rwm" }] }],
    [["--pid", "host", "--ipc=", "--oom-kill-disable=false"], { pid: "host" }],
  ])("%j", (argv, expected) => {
    expect(requested(...argv)).toEqual(expected);
  });

  it.each([
    [["--ulimit", "nofile"], 'invalid argument "nofile" for "--ulimit" flag: invalid ulimit argument: nofile'],
    [["--ulimit", "as=1"], 'invalid argument "as=1" for "--ulimit" flag: invalid ulimit type: as'],
    [["--ulimit", "nofile=4:2"], "ulimit soft limit must be less than or equal to hard limit: 4 > 2"],
    [["--sysctl", "kernel.core_pattern=x"], "sysctl 'kernel.core_pattern=x' is not allowed"],
    [["--device-write-iops", "/dev/sda:x"], "invalid rate for device: /dev/sda:x"],
    [["--blkio-weight-device", "sda:10"], "bad format for device path: sda:10"],
    [["--device", "nvidia.com/gpu=all"], "names a CDI device, which is not supported"],
    [["--device-cgroup-rule", "c 1:3"], "invalid device cgroup format 'c 1:3'"],
    [["--attach", "nothing"], "valid streams are STDIN, STDOUT and STDERR"],
  ])("refuses %j", (argv, text) => {
    expect(() => requested(...argv)).toThrow(text);
  });

  it.each([
    ["--gpus=all", "--gpus is not supported, because"],
    ["--volume-driver=nfs", "--volume-driver is not supported, because there are no plugins"],
    ["--isolation=hyperv", "--isolation is not supported"],
    ["--userns=keep-id", "podman's keep-id, auto and private are not done"],
  ])("says why it refuses %s", (flag, text) => {
    expect(() => requested(flag)).toThrow(text);
  });

  it.each(["--isolation=default", "--disable-content-trust", "--kernel-memory=0", "--userns=host"])(
    "takes %s, which changes nothing",
    (flag) => {
      expect(requested(flag)).toEqual({});
    },
  );
});

it("reads unlimited limits and devices in every form", () => {
  expect(parseUlimit("memlock=-1")).toEqual({ name: "memlock", soft: -1, hard: -1 });
  expect(parseDevice("/dev/a:/dev/b:r")).toEqual({ source: "/dev/a", target: "/dev/b", permissions: "r" });
  expect(parseDevice("/dev/a:rw")).toEqual({ source: "/dev/a", target: "/dev/a", permissions: "rw" });
  expect(() => parseDevice("/dev/a:/dev/b:x")).toThrow("invalid device mode: x");
});

it("has no flag twice", () => {
  const names = createCommand.flags.map(({ long }) => long);
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
});
