// Subnets of `lap network create`: gateways, ranges and reserved addresses go to the subnet that contains them, as docker's client does it.
import { LapError } from "@lapstrake/base";
import { parsePrefix, prefixContains, prefixesOverlap } from "@lapstrake/core";
import type { NetworkRequest } from "@lapstrake/engine";

type Subnet = NonNullable<NetworkRequest["subnets"]>[number];

interface Asked {
  readonly subnets: readonly string[];
  readonly gateways: readonly string[];
  readonly ranges: readonly string[];
  readonly auxiliary: Readonly<Record<string, string>>;
}

function invalid(text: string, hint?: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_SUBNET", text, hint === undefined ? {} : { hint });
}

/** The subnets with what belongs to each; throws `ERR_LAP_SUBNET` in docker's words. */
export function consolidate({ subnets, gateways, ranges, auxiliary }: Asked): Subnet[] {
  if (subnets.length < ranges.length || subnets.length < gateways.length) {
    throw invalid("every ip-range or gateway must have a corresponding subnet", "add --subnet");
  }
  checkApart(subnets);
  const gatewayOf = single(
    subnets,
    gateways,
    "gateway",
    (one, other, subnet) => `cannot configure multiple gateways (${one}, ${other}) for the same subnet (${subnet})`,
  );
  const rangeOf = single(
    subnets,
    ranges,
    "range",
    (one, other, subnet) => `cannot configure multiple ranges (${one}, ${other}) on the same subnet (${subnet})`,
  );
  const reserved = Object.entries(auxiliary).map(([name, address]) => ({
    name,
    address,
    subnet: holder(subnets, address, "aux-address"),
  }));
  return subnets.map((subnet) => {
    const own = reserved.filter((each) => each.subnet === subnet).map(({ name, address }) => [name, address]);
    const [gateway, range] = [gatewayOf.get(subnet), rangeOf.get(subnet)];
    return {
      subnet,
      ...(gateway === undefined ? {} : { gateway }),
      ...(range === undefined ? {} : { range }),
      ...(own.length === 0 ? {} : { reserved: Object.fromEntries(own) as Record<string, string> }),
    };
  });
}

function checkApart(subnets: readonly string[]): void {
  const prefixes = subnets.map(parsePrefix);
  const clash = prefixes.some((one, at) => prefixes.slice(at + 1).some((other) => prefixesOverlap(one, other)));
  if (clash) throw invalid("multiple overlapping subnet configuration is not supported");
}

/** The subnet that contains an address or a range. */
function holder(subnets: readonly string[], wanted: string, what: string): string {
  const { address } = parsePrefix(wanted);
  const found = subnets.find((subnet) => prefixContains(parsePrefix(subnet), address));
  if (found !== undefined) return found;
  throw invalid(`no matching subnet for ${what} ${wanted}`, "add --subnet");
}

/** At most one value for each subnet. */
function single(
  subnets: readonly string[],
  values: readonly string[],
  what: string,
  several: (one: string, other: string, subnet: string) => string,
): ReadonlyMap<string, string> {
  const out = new Map<string, string>();
  for (const value of values) {
    const subnet = holder(subnets, value, what);
    const other = out.get(subnet);
    if (other !== undefined) throw invalid(several(value, other, subnet));
    out.set(subnet, value);
  }
  return out;
}
