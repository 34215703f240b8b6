// One of several processes that publish ports in one namespace at once: ten of its own, and ten that all of them want.
import { Firewall, openNetns } from "@lapstrake/core";

const [, , pid, owner] = process.argv as [string, string, string, string];
using netns = openNetns({ pid: Number(pid) });
using firewall = new Firewall({ netns: netns.fd });
const base = { owner, protocol: "udp", hostIp: "0.0.0.0", address: "10.66.0.2", port: 53 } as const;
let lost = 0;
for (let i = 0; i < 10; i++) {
  firewall.publish([{ ...base, hostPort: 1000 * Number(owner.at(-1)) + i }]);
  try {
    firewall.publish([{ ...base, hostPort: 9000 + i }]);
  } catch (error) {
    if ((error as { code?: string }).code !== "ERR_LAP_PORT_TAKEN") throw error;
    lost++;
  }
}
process.send!(lost, () => process.disconnect());
