// sockaddr_in and sockaddr_in6 as bytes: ip(7), ipv6(7). Pure.
import { parseIp } from "./address.ts";

/** The bytes of an address and port for bind(2); the family follows from the address. */
export function sockaddr(address: string, port: number): Uint8Array {
  const ip = parseIp(address);
  const out = new Uint8Array(ip.length === 4 ? 16 : 28);
  const view = new DataView(out.buffer);
  view.setUint16(0, ip.length === 4 ? 2 : 10, true);
  view.setUint16(2, port);
  out.set(ip, ip.length === 4 ? 4 : 8);
  return out;
}
