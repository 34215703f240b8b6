// Which resolvers a container is told of, and where the resolver of a user network asks on. The machine's own files are read here.
import { readFileSync } from "node:fs";
import { errorCode } from "@lapstrake/base";
import { RESOLVER_ADDRESS } from "@lapstrake/core";
import type { Upstream } from "./dns-forward.ts";
import { formatResolvConf, parseResolvConf, type ResolvConf } from "./resolv-conf.ts";

/** What a person asked for: `--dns`, `--dns-search`, `--dns-option`. */
export interface DnsRequest {
  readonly dns?: readonly string[];
  readonly dnsSearch?: readonly string[];
  readonly dnsOptions?: readonly string[];
}

const HOST_FILE = "/etc/resolv.conf";
/** Where systemd-resolved keeps the servers behind its loopback address. */
const SYSTEMD_FILE = "/run/systemd/resolve/resolv.conf";
const DNS_PORT = 53;

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return "";
    throw error;
  }
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}

/** The machine's resolvers, as the machine itself asks them. */
function hostConf(): ResolvConf {
  return parseResolvConf(readIfThere(HOST_FILE));
}

/** Resolvers of the machine without those that only the machine reaches. */
function reachable(conf: ResolvConf): ResolvConf {
  const nameservers = conf.nameservers.filter((address) => !isLoopback(address));
  if (nameservers.length > 0 || conf.nameservers.length === 0) return { ...conf, nameservers };
  const behind = parseResolvConf(readIfThere(SYSTEMD_FILE)).nameservers;
  return { ...conf, nameservers: behind.filter((address) => !isLoopback(address)) };
}

/** True when only the machine itself reaches its resolvers, and nobody named others: ours has to ask for a container. */
export function needsForwarder({ dns }: DnsRequest): boolean {
  if (dns !== undefined) return false;
  const conf = hostConf();
  return conf.nameservers.length > 0 && reachable(conf).nameservers.length === 0;
}

/** `--dns-search .` means none. */
function asked(request: DnsRequest, conf: ResolvConf): ResolvConf {
  return {
    nameservers: request.dns ?? conf.nameservers,
    search: (request.dnsSearch ?? conf.search).filter((domain) => domain !== "."),
    options: request.dnsOptions ?? conf.options,
  };
}

/** resolv.conf of a container without networks of its own: the machine's file as it is, unless something was asked for. */
export function machineResolvConf(request: DnsRequest): string {
  const text = readIfThere(HOST_FILE);
  const { dns, dnsSearch, dnsOptions } = request;
  const isAsIs = dns === undefined && dnsSearch === undefined && dnsOptions === undefined;
  return isAsIs ? text : formatResolvConf(asked(request, parseResolvConf(text)));
}

/** resolv.conf on the default network: resolvers that are reached from there. */
export function bridgeResolvConf(request: DnsRequest): string {
  return formatResolvConf(asked(request, reachable(hostConf())));
}

/** Where the user's process answers: it asks the machine's first resolver. */
export const USER_RESOLVER = "10.0.2.3";

/** resolv.conf where a process of the user is the way out. */
export function userModeResolvConf(request: DnsRequest): string {
  return formatResolvConf(asked(request, { ...hostConf(), nameservers: [USER_RESOLVER] }));
}

/** resolv.conf on user networks: our own resolver, which asks on. */
export function userResolvConf(request: DnsRequest): string {
  const conf = asked(request, hostConf());
  const options = conf.options.some((option) => option.startsWith("ndots:")) ? [] : ["ndots:0"];
  return formatResolvConf({ ...conf, nameservers: [RESOLVER_ADDRESS], options: [...conf.options, ...options] });
}

/** Where our resolver asks on for a container; it runs on the machine, so the machine's own loopback resolvers count. */
export function upstreamsOf(request: DnsRequest): Upstream[] {
  return asked(request, hostConf()).nameservers.map((address) => ({ address, port: DNS_PORT }));
}
