// Docker's objects are structs in Go: printed whole, they are their values in the order of the fields, without names. Known here are the
// ones that people print whole; everything else prints as a map.

/** Fields in Go's order, with the text of a nil. */
const ENDPOINT: readonly (readonly [string, string])[] = [
  ["IPAMConfig", "<nil>"],
  ["Links", "[]"],
  ["Aliases", "[]"],
  ["MacAddress", ""],
  ["DriverOpts", "map[]"],
  ["GwPriority", "0"],
  ["NetworkID", ""],
  ["EndpointID", ""],
  ["Gateway", ""],
  ["IPAddress", ""],
  ["IPPrefixLen", "0"],
  ["IPv6Gateway", ""],
  ["GlobalIPv6Address", ""],
  ["GlobalIPv6PrefixLen", "0"],
  ["DNSNames", "[]"],
];

/** Fields of a struct that is known; undefined for what is a map. */
export function structFields(value: object): readonly (readonly [string, string])[] | undefined {
  return "EndpointID" in value && "IPAMConfig" in value ? ENDPOINT : undefined;
}
