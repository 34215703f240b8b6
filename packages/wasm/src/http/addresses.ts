// Which addresses are public: what a name resolves to is checked before anything is connected, or a name could lead inside.
// (IANA special-purpose address registries, RFC 6890.)

const PRIVATE_V4: readonly (readonly [network: number, bits: number])[] = [
  [ipv4([0, 0, 0, 0]), 8],
  [ipv4([10, 0, 0, 0]), 8],
  [ipv4([100, 64, 0, 0]), 10],
  [ipv4([127, 0, 0, 0]), 8],
  [ipv4([169, 254, 0, 0]), 16],
  [ipv4([172, 16, 0, 0]), 12],
  [ipv4([192, 0, 0, 0]), 24],
  [ipv4([192, 168, 0, 0]), 16],
  [ipv4([198, 18, 0, 0]), 15],
  [ipv4([224, 0, 0, 0]), 3],
];

function ipv4(parts: readonly number[]): number {
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

/** True for an address in text form that anybody may reach: not of this machine, a private network or a special purpose. */
export function isPublicAddress(address: string): boolean {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(address)) return isPublicV4(ipv4(address.split(".").map(Number)));
  const mapped = /^::(?:ffff:)?(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return isPublicAddress(mapped);
  // Only global unicast is public: 2000::/3; of that, documentation and the ranges that wrap IPv4 are not.
  return /^[23][0-9a-f]{3}:/i.test(address) && !/^2001:0?db8:|^2002:|^2001:0{0,4}:/i.test(address);
}

function isPublicV4(address: number): boolean {
  return !PRIVATE_V4.some(
    ([network, bits]) => Math.floor(address / 2 ** (32 - bits)) === Math.floor(network / 2 ** (32 - bits)),
  );
}
