// The device pair through which accepted packets come back to be translated (ADR 0030): a veth with both ends here, without
// ARP. What goes into one end comes out of the other as if it had just arrived.
import type { Link } from "../rtnl/links.ts";
import type { Rtnl } from "../rtnl/rtnl.ts";
import { writeSysctl } from "../sysctl.ts";
import { REINJECT_ADDRESS, REINJECT_HOP, REINJECT_IN, REINJECT_MAC, REINJECT_OUT } from "./names.ts";
import { errorCode } from "@lapstrake/base";

const LOOSE = "2";
/** What was reassembled passes whole. */
const MTU = 65_535;
const COMPLETE = "lapstrake:reinject";
const NO_IPV6: ReadonlySet<string> = new Set(["EOPNOTSUPP", "EAFNOSUPPORT", "EACCES", "ENODEV", "EPERM"]);

function sysctls(netns: number | undefined): void {
  // The sender is behind another device: loose, whatever the machine's own default is (the stronger of both counts).
  writeSysctl(["ipv4", "conf", REINJECT_IN, "rp_filter"], LOOSE, netns);
  try {
    // Translated packets go on to a bridge.
    writeSysctl(["ipv4", "conf", REINJECT_IN, "forwarding"], "1", netns);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
}

/** Runs a step that another process may have done just now. */
function unlessThere(step: () => void): void {
  try {
    step();
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
}

/** Makes the pair unless it is there; returns the end that copies leave by. Several processes may do this at once. */
export function ensureReinjectPair(rtnl: Rtnl, netns?: number): Link {
  const found = rtnl.findLink(REINJECT_OUT);
  if (found?.alias === COMPLETE) return found;
  const end = { mac: REINJECT_MAC, arp: false, mtu: MTU };
  unlessThere(() => rtnl.addVeth({ name: REINJECT_OUT, ...end }, { name: REINJECT_IN, ...end }));
  const out = rtnl.link(REINJECT_OUT);
  const back = rtnl.link(REINJECT_IN);
  for (const each of [out, back]) rtnl.setNoLinkLocal(each);
  sysctls(netns);
  for (const each of [back, out]) rtnl.setLink(each, { up: true, arp: false });
  // Reverse path checks, loose ones too, refuse a device without any address.
  unlessThere(() => rtnl.addAddress(back, REINJECT_ADDRESS));
  rtnl.replaceRoute({ destination: `${REINJECT_HOP.ip}/32`, link: out.index });
  routeIpv6(rtnl, out);
  // The last step: whoever sees this need not look further.
  rtnl.setLink(out, { alias: COMPLETE });
  return out;
}

function routeIpv6(rtnl: Rtnl, out: Link): void {
  try {
    rtnl.replaceRoute({ destination: `${REINJECT_HOP.ip6}/128`, link: out.index });
  } catch (error) {
    // The kernel or its administrator has no IPv6.
    if (!NO_IPV6.has(errorCode(error) ?? "")) throw error;
  }
}

/** Deletes the pair. */
export function removeReinjectPair(rtnl: Rtnl): void {
  rtnl.deleteLink(REINJECT_OUT);
}
