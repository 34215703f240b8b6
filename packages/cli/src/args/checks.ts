// What docker's command line checks of a flag's value before it asks anybody, in its words.
import { LapError } from "@lapstrake/base";

/** Of --env: NAME=VALUE, or NAME alone. */
export function checkVariable(text: string): void {
  if (text === "" || text.startsWith("=")) throw invalid(`invalid environment variable: ${text}`);
}

/** Of --label. */
export function checkLabel(text: string): void {
  if (text === "" || text.startsWith("=")) throw invalid(`invalid label '${text}': empty name`);
}

/** By form only: node:net would be one more part of Node to load on the way of every run. */
const ADDRESS = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$|^(?=.*:)[\da-f:]+(?:[\d.]+)?(?:%\w+)?$/i;

/** Of --dns. */
export function checkAddress(text: string): void {
  if (!ADDRESS.test(text.trim())) throw invalid(`IP address is not correctly formatted: ${text}`);
}

/** Of --pid, --uts and --cgroupns, behind their name: `host`, or what else there is. */
export function checkMode(flag: string, kind: string, text: string | undefined, others: RegExp): void {
  if (text === undefined || text === "" || text === "host" || others.test(text)) return;
  throw invalid(`--${flag}: invalid ${kind} mode`);
}

/** Of --mac-address; without the flag's name, as docker has it. */
export function checkMac(text: string | undefined): void {
  if (text === undefined || /^[\da-f]{2}(?:([:-])[\da-f]{2})(?:\1[\da-f]{2}){4}$/i.test(text)) return;
  throw invalid(`${text} is not a valid mac address`);
}

function invalid(message: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_FLAG_VALUE", message);
}
