// What can be wrong with a CreateRequest whatever the image is; refused before anything is made.
import { availableParallelism } from "node:os";
import { LapError } from "@lapstrake/base";
import { parseSignal } from "@lapstrake/core";
import { HOST_FLAGS_HINT } from "./hints.ts";
import type { CreateRequest } from "./request.ts";
import { parseSecurityOptions } from "./security.ts";
import { requestCapabilities } from "./capabilities.ts";

const MIN_MEMORY_BYTES = 6 * 1024 * 1024;
const HOSTNAME = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?$/;

/** Throws a LapError of kind invalidArgument or unimplemented that names the field. */
export function checkRequest(request: CreateRequest): void {
  checkNetwork(request.network);
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

function checkNetwork(network: string | undefined): void {
  if (network === undefined || ["none", "host", "default"].includes(network)) return;
  if (network === "bridge" || network.startsWith("container:")) {
    throw new LapError("unimplemented", "ERR_LAP_NETWORK", `network mode "${network}" is not supported yet`, {
      hint: "use --network none or --network host",
    });
  }
  throw new LapError("notFound", "ERR_LAP_NO_NETWORK", `network ${network} not found`);
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
