// What the host can do for networks, as lines of `lap doctor`. Looked up in a namespace of its own where it takes trying.
import { accessSync, constants } from "node:fs";
import { errorCode } from "@lapstrake/base";
import type { HostFact } from "../facts/types.ts";
import { onPath } from "../facts/on-path.ts";
import { withNewNetns } from "../sys/net.ts";
import { Firewall } from "./firewall/firewall.ts";

type Probe = () => Omit<HostFact, "id" | "title">;

function why(error: unknown): string {
  return errorCode(error) ?? (error as Error).message;
}

/** Builds our whole ruleset where nobody is: what the kernel refuses is named by the error. */
function tryRules(input: "respect" | "bypass"): string {
  try {
    withNewNetns(() => {
      using firewall = new Firewall({ input });
      firewall.reconcile({ networks: [], ports: [] });
    });
    return "";
  } catch (error) {
    return why(error);
  }
}

const rules: Probe = () => {
  const failure = tryRules("bypass");
  if (failure === "") return { value: true, verdict: "ok" };
  const remedy = "run as root on a kernel with nf_tables, nat, fib and connection tracking";
  return { value: failure, verdict: "missing", remedy };
};

const inputRules: Probe = () => {
  const failure = tryRules("respect");
  if (failure === "") return { value: true, verdict: "ok" };
  return {
    value: failure,
    verdict: "warn",
    remedy: "load nft_dup_ipv4 and nft_dup_ipv6, or choose input policy bypass",
  };
};

const obstacles: Probe = () => {
  using firewall = new Firewall();
  const found = firewall.obstacles();
  if (found.length === 0) return { value: [], verdict: "ok" };
  const remedy = "accept what goes to and comes from our bridges (lap*, br-*) in these chains";
  return { value: found, verdict: "warn", remedy };
};

const USER_TOOLS = ["pasta", "slirp4netns"];
const INSTALL = "install pasta (package passt) or slirp4netns";

/** Which programs a user's containers can have as their way out, and whether this user may make the device that they need. */
const userTools: Probe = () => {
  const found = USER_TOOLS.filter(onPath);
  if (found.length === 0) return { value: "none", verdict: "warn", remedy: INSTALL };
  try {
    accessSync("/dev/net/tun", constants.R_OK | constants.W_OK);
    return { value: found, verdict: "ok" };
  } catch (error) {
    return {
      value: `${found.join(", ")}; /dev/net/tun: ${why(error)}`,
      verdict: "warn",
      remedy: "make it writable: chmod 666 /dev/net/tun",
    };
  }
};

const PROBES: readonly { readonly id: string; readonly title: string; readonly probe: Probe }[] = [
  { id: "net.nftables", title: "bridge networks and published ports", probe: rules },
  { id: "net.input_rules", title: "published ports respect the host's input rules", probe: inputRules },
  { id: "net.user", title: "networks without root", probe: userTools },
  { id: "net.forward_obstacles", title: "forward chains of others that drop by default", probe: obstacles },
];

/** The facts of networking; needs root for most, and says so in the verdict. */
export function networkRuleFacts(): HostFact[] {
  return PROBES.map(({ id, title, probe }) => {
    try {
      return { id, title, ...probe() };
    } catch (error) {
      return { id, title, value: why(error), verdict: "missing", remedy: "run as root" };
    }
  });
}
