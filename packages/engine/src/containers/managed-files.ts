// The three files of /etc that the engine writes for each container and binds over the image's: hostname(5), hosts(5), resolv.conf(5).
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MountSpec } from "@lapstrake/base";
import { formatHosts } from "../network/hosts-file.ts";
import { networkMode } from "../network/mode.ts";
import { machineResolvConf } from "../network/resolver.ts";
import type { CreateRequest } from "./request.ts";

const FILES = ["hostname", "hosts", "resolv.conf"] as const;

/** Writes the files into the container's directory, for a container without networks of its own; a start on networks writes them anew. */
export function writeManagedFiles(dir: string, hostname: string, request: CreateRequest): void {
  writeFileSync(join(dir, "hostname"), `${hostname}\n`, { mode: 0o644 });
  const { domainname, extraHosts = [] } = request;
  const later = ["networks", "user"].includes(networkMode(request.network).kind);
  writeHosts(
    dir,
    formatHosts({ hostname, domainname, addresses: [], extra: later ? [] : extraHosts, gateways: gateways(request) }),
  );
  writeResolvConf(dir, machineResolvConf(request));
}

/** On the machine's network the machine is at loopback. */
function gateways(request: CreateRequest): string[] {
  return request.network === "host" ? ["127.0.0.1"] : [];
}

/** Replaces the text of /etc/hosts in place, which a running container sees. */
export function writeHosts(dir: string, text: string): void {
  writeFileSync(join(dir, "hosts"), text, { mode: 0o644 });
}

/** Replaces the text of /etc/resolv.conf in place. */
export function writeResolvConf(dir: string, text: string): void {
  writeFileSync(join(dir, "resolv.conf"), text, { mode: 0o644 });
}

/** The binds that show them. */
export function managedFileMounts(dir: string): MountSpec[] {
  return FILES.map((name) => ({
    destination: `/etc/${name}`,
    type: "bind",
    source: join(dir, name),
    options: ["rbind", "rprivate"],
  }));
}
