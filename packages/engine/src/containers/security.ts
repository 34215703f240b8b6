// --security-opt, in docker's grammar: what confines a container besides namespaces, limits and capabilities.
import { readFileSync } from "node:fs";
import { defaultSeccompProfile, hostFacts, resolveSeccompProfile } from "@lapstrake/core";
import { LapError, parseJsonObject, type SeccompSpec } from "@lapstrake/base";

const MAX_PROFILE_BYTES = 4 * 1024 * 1024;

/** Security options, understood. */
export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  /** `default`, `unconfined`, or the path of a profile in OCI or docker form. */
  readonly seccomp: string;
  /** A loaded AppArmor profile's name; undefined leaves it to the host. */
  readonly apparmor: string | undefined;
  /** Masked and read-only paths of /proc and /sys are left open. */
  readonly openSystemPaths: boolean;
  /** Of a Wasm container: its payload is a process of the machine, with nothing but our own host around the guest. */
  readonly wasmUnconfined: boolean;
}

/** Parses `NAME[=VALUE]` options. Throws `ERR_LAP_SECURITY_OPT`. */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  let parsed: SecurityOptions = {
    noNewPrivileges: false,
    seccomp: "default",
    apparmor: undefined,
    openSystemPaths: false,
    wasmUnconfined: false,
  };
  for (const option of options) parsed = { ...parsed, ...parseOption(option) };
  return parsed;
}

function parseOption(option: string): Partial<SecurityOptions> {
  const match = /^([a-z-]+)(?:[=:](.*))?$/s.exec(option);
  const [, name, value] = match ?? [];
  if (name === "no-new-privileges" && (value === undefined || value === "true" || value === "false")) {
    return { noNewPrivileges: value !== "false" };
  }
  if (name === "seccomp" && value !== undefined && value !== "")
    return { seccomp: value === "builtin" ? "default" : value };
  if (name === "apparmor" && value !== undefined) return { apparmor: value };
  if (name === "systempaths" && value === "unconfined") return { openSystemPaths: true };
  if (name === "wasm" && (value === "unconfined" || value === "confined"))
    return { wasmUnconfined: value === "unconfined" };
  throw new LapError("invalidArgument", "ERR_LAP_SECURITY_OPT", `Invalid --security-opt: "${option}"`, {
    hint: "supported: no-new-privileges, seccomp=unconfined|PROFILE.json, apparmor=PROFILE, systempaths=unconfined, wasm=unconfined",
  });
}

/** The filter of a container that has these capabilities; undefined is unconfined. Throws `ERR_LAP_SECCOMP_PROFILE`. */
export function seccompSpec(
  seccomp: string,
  capabilities: readonly string[],
  privileged: boolean,
): SeccompSpec | undefined {
  if (seccomp === "unconfined" || (privileged && seccomp === "default")) return undefined;
  if (seccomp === "default") return defaultSeccompProfile(capabilities, hostFacts());
  return readProfile(seccomp, capabilities);
}

function readProfile(path: string, capabilities: readonly string[]): SeccompSpec | undefined {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new LapError("invalidArgument", "ERR_LAP_SECCOMP_PROFILE", `opening seccomp profile (${path}) failed`, {
      cause,
    });
  }
  const profile = parseJsonObject(bytes, `seccomp profile "${path}"`, MAX_PROFILE_BYTES);
  return resolveSeccompProfile(profile, capabilities, hostFacts());
}
