// Addresses of wasi:sockets (the same shape in 0.2 and 0.3) and as text. Which of them a call may take: Ipv6 sockets are never dual-stack.

export type Family = "ipv4" | "ipv6";

/** An address as the host has it. */
export interface Address {
  readonly family: Family;
  readonly host: string;
  readonly port: number;
}

/** ip-address. */
export type WasiIp =
  | { readonly tag: "ipv4"; readonly val: readonly number[] }
  | { readonly tag: "ipv6"; readonly val: readonly number[] };

/** ip-socket-address. */
export type WasiAddress =
  | { readonly tag: "ipv4"; readonly val: { readonly port: number; readonly address: readonly number[] } }
  | {
      readonly tag: "ipv6";
      readonly val: {
        readonly port: number;
        readonly address: readonly number[];
        readonly flowInfo: number;
        readonly scopeId: number;
      };
    };

/** The address in text form. */
export function addressOf({ tag, val }: WasiAddress): Address {
  return { family: tag, host: hostText(tag, val.address), port: val.port };
}

function hostText(family: Family, parts: readonly number[]): string {
  if (family === "ipv4") return parts.join(".");
  return shortest(parts);
}

/** As inet_ntop has it, so that texts can be compared: the longest run of zeroes is "::". */
function shortest(parts: readonly number[]): string {
  const text = parts.map((part) => part.toString(16)).join(":");
  const runs = text.match(/(?:^|:)0(?::0)+(?=:|$)/g) ?? [];
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), "");
  if (longest === "") return text;
  const at = text.indexOf(longest);
  return `${text.slice(0, at)}::${text.slice(at + longest.length).replace(/^:/, "")}`;
}

/** The same as the guest has it. */
export function wasiAddress({ family, host, port }: Address): WasiAddress {
  const address = wasiIp(family, host).val;
  return family === "ipv4"
    ? { tag: "ipv4", val: { port, address } }
    : { tag: "ipv6", val: { port, address, flowInfo: 0, scopeId: 0 } };
}

/** An address alone. */
export function wasiIp(family: Family, host: string): WasiIp {
  if (family === "ipv4") return { tag: "ipv4", val: host.split(".").map(Number) };
  const [head = "", tail] = host.replace(/%.*/, "").split("::");
  const words = (text: string): number[] => text.split(":").filter(Boolean).flatMap(wordsOf);
  const [before, after] = [words(head), words(tail ?? "")];
  return {
    tag: "ipv6",
    val: [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after],
  };
}

/** The last part may be written as an IPv4 address. */
function wordsOf(part: string): number[] {
  if (!part.includes(".")) return [Number.parseInt(part, 16)];
  const [a = 0, b = 0, c = 0, d = 0] = part.split(".").map(Number);
  return [a * 256 + b, c * 256 + d];
}

/** True for an address that a socket of `family` can use at all: one host, and not IPv4 in IPv6. */
export function isUsable({ tag, val: { address } }: WasiAddress, family: Family): boolean {
  if (tag !== family) return false;
  if (tag === "ipv4") return address[0]! < 224 || (address[0]! >= 240 && !address.every((part) => part === 255));
  return address[0]! < 0xff00 && !isMapped(address);
}

function isMapped(parts: readonly number[]): boolean {
  return parts.slice(0, 5).every((part) => part === 0) && parts[5] === 0xffff;
}

/** True for an address that can be sent to: usable, of one host, with a port. */
export function isRemote(address: WasiAddress, family: Family): boolean {
  return isUsable(address, family) && address.val.port !== 0 && address.val.address.some((part) => part !== 0);
}
