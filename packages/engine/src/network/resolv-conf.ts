// resolv.conf(5): what the host asks, and what a container on a user network gets. Pure.
import { isIP } from "node:net";

/** The parts of a resolv.conf that we carry on. */
export interface ResolvConf {
  /** Without zones that only mean something on the host (`fe80::1%eth0`). */
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** Reads a resolv.conf; the last `search` or `domain` counts, unknown lines are skipped. */
export function parseResolvConf(text: string): ResolvConf {
  const lines = text.split("\n").map((line) =>
    line
      .replace(/[#;].*$/, "")
      .trim()
      .split(/\s+/),
  );
  const nameservers = lines.filter(([key]) => key === "nameserver").map(([, value]) => value ?? "");
  const search = lines.findLast(([key]) => key === "search" || key === "domain")?.slice(1) ?? [];
  return {
    nameservers: nameservers.filter((address) => isIP(address) !== 0 && !address.includes("%")),
    search,
    options: lines.filter(([key]) => key === "options").flatMap(([, ...values]) => values),
  };
}

/** Writes one. */
export function formatResolvConf(conf: ResolvConf): string {
  const lines = conf.nameservers.map((address) => `nameserver ${address}`);
  if (conf.search.length > 0) lines.push(`search ${conf.search.join(" ")}`);
  if (conf.options.length > 0) lines.push(`options ${conf.options.join(" ")}`);
  return lines.map((line) => `${line}\n`).join("");
}
