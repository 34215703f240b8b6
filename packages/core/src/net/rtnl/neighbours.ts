// Neighbour entries (ARP and NDP): ndmsg is family, padding, index, state, flags, type. Pure.
import { parseIp, parseMac } from "../address.ts";
import { concat, u16, u32 } from "../netlink/attrs.ts";
import { NLM_F_CREATE, NLM_F_REPLACE, type Request } from "../netlink/message.ts";
import { familyOf } from "./addresses.ts";
import * as K from "./constants.ts";

/** A permanent entry: `address` on device `link` answers at `mac`. */
export function addNeighbour(link: number, address: string, mac: string): Request {
  const ip = parseIp(address);
  return {
    type: K.RTM_NEWNEIGH,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    header: concat([Uint8Array.of(familyOf(ip), 0, 0, 0), u32(link), u16(K.NUD_PERMANENT), new Uint8Array(2)]),
    attrs: [
      { type: K.NDA_DST, value: ip },
      { type: K.NDA_LLADDR, value: parseMac(mac) },
    ],
    name: "RTM_NEWNEIGH",
    subject: address,
  };
}
