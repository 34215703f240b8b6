// What a request's network names come to: existing networks and containers, before anything is made.
import { isIP } from "node:net";
import { LapError } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import type { CreateRequest } from "../containers/request.ts";
import { hasManyIds, isRootless } from "../sandbox/rootless.ts";
import { findContainer } from "../state/containers.ts";
import type { NetworkAttachment } from "../state/record.ts";
import { networksOf } from "./attach.ts";
import { parseLink } from "./links.ts";
import { networkMode } from "./mode.ts";
import { canUse, TOOL_HINT, type UserTool } from "./user-tool.ts";
import { DEFAULT_NETWORK } from "./network-record.ts";

/** What the record keeps. */
export interface ResolvedNetworks {
  readonly networks?: Readonly<Record<string, NetworkAttachment>>;
  /** Takes the place of the request's, where a name became an id. */
  readonly network?: string;
}

/** Throws `ERR_LAP_NO_NETWORK`, `ERR_LAP_NO_CONTAINER`, and `ERR_LAP_NETWORK_CONFLICT`. */
export function resolveNetworks(context: EngineContext, request: CreateRequest): ResolvedNetworks {
  const mode = networkMode(request.network);
  if (mode.kind === "container") return { network: `container:${findContainer(context.paths, mode.container).id}` };
  if (mode.kind === "user") return userNetwork(request, mode.tool);
  if (mode.kind !== "networks") return {};
  checkRights(request);
  const { default: own, ...others } = request.attachments ?? {};
  const wanted = own === undefined ? others : { ...others, [mode.network]: own };
  const names = [mode.network, ...Object.keys(wanted).filter((name) => name !== mode.network)];
  const entries = names.map((name) => {
    const attachment = wanted[name] ?? {};
    const known = networkName(context, name);
    checkAttachment(known, attachment);
    return [known, attachment] as const;
  });
  return { networks: Object.fromEntries(entries) };
}

/** Devices and the firewall of the machine are root's. */
function checkRights({ network }: CreateRequest): void {
  if (!isRootless()) return;
  const text = `network "${network ?? "bridge"}" needs root`;
  throw new LapError("failedPrecondition", "ERR_LAP_NETWORK_ROOTLESS", text, {
    hint: `use --network none or host, or sudo; for a way out ${TOOL_HINT}`,
  });
}

/** What a process of the user carries: published ports, and nothing of networks. */
function userNetwork({ attachments = {}, ports = [] }: CreateRequest, tool: UserTool): ResolvedNetworks {
  const conflict = (text: string, hint: string): LapError =>
    new LapError("failedPrecondition", "ERR_LAP_NETWORK_ROOTLESS", text, { hint });
  if (!hasManyIds()) {
    throw conflict(
      "a way out needs more than one id",
      "install uidmap and give this user a range in /etc/subuid and /etc/subgid, or use --network none or host",
    );
  }
  if (!canUse(tool)) throw conflict(`network "${tool}" is not there`, TOOL_HINT);
  if (Object.values(attachments).some((each) => Object.keys(each).length > 0)) {
    throw conflict(
      "without root a container chooses no addresses and no aliases",
      "leave --ip, --mac-address and --network-alias away, or use sudo",
    );
  }
  if (ports.some(({ protocol }) => protocol === "sctp"))
    throw conflict("without root no SCTP port is published", "use sudo");
  if (ports.some(({ hostIp }) => hostIp.includes(":"))) {
    throw conflict("without root ports are published at IPv4 addresses", "name an IPv4 address, or none");
  }
  return { network: tool };
}

/** The name of a network by name, id or prefix; the default one need not exist yet. */
function networkName(context: EngineContext, wanted: string): string {
  return wanted === DEFAULT_NETWORK ? wanted : networksOf(context).find(wanted).name;
}

/** Throws `ERR_LAP_NETWORK_CONFLICT` in docker's words. */
export function checkAttachment(network: string, { aliases = [], links = [], ip, ip6, mac }: NetworkAttachment): void {
  const conflict = (text: string): LapError => new LapError("invalidArgument", "ERR_LAP_NETWORK_CONFLICT", text);
  if (ip !== undefined && isIP(ip) !== 4) throw conflict(`invalid IPv4 address: ${ip}`);
  if (ip6 !== undefined && isIP(ip6) !== 6) throw conflict(`invalid IPv6 address: ${ip6}`);
  if (mac !== undefined && !/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i.test(mac)) {
    throw conflict(`invalid MAC address: ${mac}`);
  }
  for (const link of links) parseLink(link);
  if (network !== DEFAULT_NETWORK) return;
  if (links.length > 0) {
    throw new LapError(
      "invalidArgument",
      "ERR_LAP_NETWORK_CONFLICT",
      "links are supported only for containers in user defined networks",
      {
        hint: "make one: lap network create NET, and --network NET on both, where they find each other by name anyway",
      },
    );
  }
  if (aliases.length > 0) {
    throw conflict("network-scoped alias is supported only for containers in user defined networks");
  }
  if (ip !== undefined || ip6 !== undefined) {
    throw conflict("user specified IP address is supported on user defined networks only");
  }
}
