// What can be wrong with a CreateRequest whatever the image is; refused before anything is made.
import { availableParallelism } from "node:os";
import { LapError } from "@lapstrake/base";
import { parseSignal } from "@lapstrake/core";
import { parseAddHost } from "../network/hosts-file.ts";
import { networkMode } from "../network/mode.ts";
import { HOST_FLAGS_HINT } from "./hints.ts";
import type { CreateRequest } from "./request.ts";
import { parseSecurityOptions } from "./security.ts";
import { requestCapabilities } from "./capabilities.ts";

const MIN_MEMORY_BYTES = 6 * 1024 * 1024;
const HOSTNAME = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?$/;

/** Throws a LapError of kind invalidArgument or unimplemented that names the field. */
export function checkRequest(request: CreateRequest): void {
  checkNetwork(request);
  checkLimits(request);
  requestCapabilities(request);
  parseSecurityOptions(request.securityOpt ?? []);
  if (request.hostname !== undefined && !HOSTNAME.test(request.hostname)) {
    throw invalid("ERR_LAP_HOSTNAME_INVALID", `invalid hostname format: ${request.hostname}`);
  }
  if (request.stopSignal !== undefined && parseSignal(request.stopSignal) === undefined) {
    throw invalid("ERR_LAP_SIGNAL_INVALID", `Invalid signal: ${request.stopSignal}`);
  }
  const hostOnly = request.include !== undefined || request.mask !== undefined || request.noMask === true;
  if (hostOnly && request.image !== "host") throw invalid("ERR_LAP_HOST_FLAGS", HOST_FLAGS_HINT);
}

/** What does not go together whatever networks there are, in docker's words. */
function checkNetwork(request: CreateRequest): void {
  for (const text of request.extraHosts ?? []) parseAddHost(text);
  const mode = networkMode(request.network);
  if (mode.kind === "container") checkJoining(request);
  if (mode.kind === "networks" || request.attachments === undefined) return;
  for (const [name, { aliases, links, ip, ip6, mac }] of Object.entries(request.attachments)) {
    const asksNames = aliases !== undefined && aliases.length > 0;
    if (asksNames) throw conflict("network-scoped alias is supported only for containers in user defined networks");
    if (links !== undefined) throw conflict("links are supported only for containers in user defined networks");
    if (ip !== undefined || ip6 !== undefined)
      throw conflict("user specified IP address is supported on user defined networks only");
    if (mac !== undefined) throw conflict("conflicting options: mac-address and the network mode");
    if (name !== request.network && name !== "default") {
      throw conflict(`container cannot be connected to network "${name}" in network mode "${request.network}"`);
    }
  }
}

/** Another container's network comes as it is. */
function checkJoining(request: CreateRequest): void {
  const { hostname, ports = [], dns = [], extraHosts = [] } = request;
  if (hostname !== undefined) throw conflict("conflicting options: hostname and the network mode");
  if (dns.length > 0) throw conflict("conflicting options: dns and the network mode");
  if (extraHosts.length > 0) throw conflict("conflicting options: custom host-to-IP mapping and the network mode");
  if (ports.length > 0) throw conflict("conflicting options: port publishing and the container type network mode");
}

function conflict(message: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_NETWORK_CONFLICT", message);
}

function checkLimits(request: CreateRequest): void {
  if (request.memoryBytes !== undefined && request.memoryBytes < MIN_MEMORY_BYTES) {
    throw invalid("ERR_LAP_MEMORY_LIMIT", "Minimum memory limit allowed is 6MB");
  }
  const cpus = availableParallelism();
  if (request.cpus !== undefined && !(request.cpus >= 0.01 && request.cpus <= cpus)) {
    throw invalid(
      "ERR_LAP_CPU_LIMIT",
      `Range of CPUs is from 0.01 to ${cpus.toFixed(2)}, as there are only ${cpus} CPUs available`,
    );
  }
}

function invalid(code: string, message: string): LapError {
  return new LapError("invalidArgument", code, message);
}
