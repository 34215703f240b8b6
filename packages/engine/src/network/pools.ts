// The subnets of a new network: those that were asked for, and chosen ones for families that were left to us. Pure.
import { LapError } from "@lapstrake/base";
import { chooseSubnet, createPool, localIpv6Subnet, parsePrefix, prefixesOverlap, type Pool } from "@lapstrake/core";
import type { NetworkRequest } from "./network-store.ts";

/** `ours` are the subnets of other networks, `avoid` what else the machine routes. Throws `ERR_LAP_SUBNET`, `ERR_LAP_SUBNET_OVERLAP`. */
export function makePools(
  request: NetworkRequest,
  id: string,
  ours: readonly string[],
  avoid: readonly string[],
): Pool[] {
  const asked = request.subnets ?? [];
  checkAsked(request, ours);
  const pools = asked.map((spec) => createPool(spec));
  const has = (isSix: boolean): boolean => pools.some(({ subnet }) => subnet.includes(":") === isSix);
  if (request.ipv4 !== false && !has(false)) pools.unshift(createPool({ subnet: chooseSubnet([...ours, ...avoid]) }));
  if (request.ipv6 === true && !has(true)) pools.push(createPool({ subnet: localIpv6Subnet(id) }));
  if (pools.length > 0) return pools;
  throw invalid("IPv4 or IPv6 must be enabled", "leave --ipv4=false away, or add --ipv6");
}

function invalid(text: string, hint: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_SUBNET", text, { hint });
}

function checkAsked({ driver = "bridge", subnets = [], ipv4 }: NetworkRequest, ours: readonly string[]): void {
  const [four, six] = [false, true].map((isSix) => subnets.filter(({ subnet }) => subnet.includes(":") === isSix));
  if (four!.length > 1 || six!.length > 1) {
    throw invalid(
      `${driver} driver doesn't support multiple subnets`,
      "one of each family: make two networks, and connect to both",
    );
  }
  if (ipv4 === false && four!.length > 0) throw invalid("IPv4 is disabled, but has a subnet", "leave one of them away");
  const clash = subnets.find(({ subnet }) =>
    ours.some((other) => prefixesOverlap(parsePrefix(subnet), parsePrefix(other))),
  );
  if (clash === undefined) return;
  const text = "Pool overlaps with other one on this address space";
  throw new LapError("permissionDenied", "ERR_LAP_SUBNET_OVERLAP", text);
}
