// Connects and disconnects one container for ever, to be killed at any instant; says when it begins.
import { flushCompileCache } from "node:module";
import { openNetns } from "@lapstrake/core";
import { Networks, parsePortSpec } from "@lapstrake/engine";

const [, , root, hostPid, boxPid, containerId] = process.argv as [string, string, string, string, string, string];
using host = openNetns({ pid: Number(hostPid) });
const networks = new Networks({ root, netns: host.fd });
const ports = ["8080:80", "8081:81/udp"].flatMap(parsePortSpec);
// A process that is killed leaves nothing for the next else.
flushCompileCache();
process.send!("begun");
for (;;) {
  networks.disconnectAll(containerId);
  networks.connect("bridge", { containerId, containerName: "killed", netns: { pid: Number(boxPid) }, ports });
}
