import type { RuntimeSpec } from "@lapstrake/base";
import { expect, test } from "vitest";
import { planNamespaces } from "./namespaces.ts";
import { sysctlOps } from "./sysctl.ts";

const own = planNamespaces([{ type: "ipc" }, { type: "network" }, { type: "uts" }]);
const none = planNamespaces([{ type: "mount" }]);

function ops(sysctl: Record<string, string>, more: Partial<RuntimeSpec> = {}, namespaces = own): unknown[] {
  return sysctlOps({ ociVersion: "1.0.0", linux: { sysctl }, ...more }, namespaces).map((op) => op["path"]);
}

test("sets what belongs to the container's namespaces, in both ways of writing a name", () => {
  expect(ops({ "net.ipv4.ip_forward": "1", "kernel.shmmax": "1", "fs.mqueue.msg_max": "5" })).toEqual([
    "sys/net/ipv4/ip_forward",
    "sys/kernel/shmmax",
    "sys/fs/mqueue/msg_max",
  ]);
  expect(ops({ "net/ipv4/conf/eno2.100/rp_filter": "1" })).toEqual(["sys/net/ipv4/conf/eno2.100/rp_filter"]);
  expect(ops({ "net.ipv4.conf.eno2/100.rp_filter": "1" })).toEqual(["sys/net/ipv4/conf/eno2.100/rp_filter"]);
});

test.each([
  "kernel.core_pattern",
  "vm.swappiness",
  "fs.file-max",
  "kernel.panic",
  "kernel/core_pattern",
  "kernel.sem.x",
])("CVE-2022-0811: refuses %s, which is the machine's", (name) => {
  expect(() => ops({ [name]: "x" })).toThrow("whole machine");
});

test.each(["net..ipv4", "net/../kernel/core_pattern", "net.ipv4.//.x", "/proc/sys/kernel/panic", ""])(
  "refuses %j, which is no name",
  (name) => {
    expect(() => ops({ [name]: "x" })).toThrow(name);
  },
);

test("refuses what the container has no namespace for", () => {
  expect(() => ops({ "net.ipv4.ip_forward": "1" }, {}, none)).toThrow("network namespace of its own");
  expect(() => ops({ "kernel.msgmax": "1" }, {}, none)).toThrow("ipc namespace of its own");
});

test("refuses names that have a field", () => {
  expect(() => ops({ "kernel.hostname": "x" })).toThrow('field "hostname"');
  expect(() => ops({ "kernel.domainname": "x" }, { domainname: "y" })).toThrow('field "domainname"');
  expect(ops({ "kernel.domainname": "x" })).toEqual(["sys/kernel/domainname"]);
});
