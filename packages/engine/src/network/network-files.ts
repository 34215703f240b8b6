// The files of a container that follow its networks: hosts and resolv.conf.
import type { EngineContext } from "../context.ts";
import { writeHosts, writeResolvConf } from "../containers/managed-files.ts";
import { hasResolver } from "../keeper/wake.ts";
import { dirOf } from "../state/containers.ts";
import type { ContainerRecord } from "../state/record.ts";
import { formatHosts } from "./hosts-file.ts";
import { bare, machineAddressesOf } from "./network-record.ts";
import type { Networks } from "./networks.ts";
import { bridgeResolvConf, userResolvConf } from "./resolver.ts";

/** hosts and resolv.conf as the present networks have it. */
export function writeFiles(context: EngineContext, record: ContainerRecord, networks: Networks): void {
  const dir = dirOf(context.paths, record);
  const members = networks.endpointsOf(record.id);
  const { request, hostname } = record;
  const hosts = formatHosts({
    hostname,
    domainname: request.domainname,
    addresses: members.flatMap(({ endpoint }) => endpoint.addresses.map(bare)),
    extra: request.extraHosts ?? [],
    gateways: members.slice(0, 1).flatMap(({ network }) => machineAddressesOf(network).map(bare)),
  });
  writeHosts(dir, hosts);
  writeResolvConf(dir, hasResolver(record) ? userResolvConf(request) : bridgeResolvConf(request));
}
