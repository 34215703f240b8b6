// Loading a profile: apparmor_parser(8) compiles it and gives it to the kernel, where it stays until the machine stops.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { LapError } from "@lapstrake/base";
import { DEFAULT_PROFILE, profileText } from "./profile.ts";

const LOADED = "/sys/kernel/security/apparmor/profiles";
const PARSERS = ["/usr/sbin/apparmor_parser", "/sbin/apparmor_parser", "/usr/bin/apparmor_parser"];
const ABI = "abi/3.0";
const TIMEOUT_MS = 30_000;

function refuse(why: string, hint: string, cause?: unknown): LapError {
  return new LapError("failedPrecondition", "ERR_LAP_APPARMOR", `cannot load the AppArmor profile: ${why}`, {
    hint,
    cause,
  });
}

/** True when the kernel has a profile of that name; false too when the list cannot be read. */
export function isProfileLoaded(name: string): boolean {
  try {
    return readFileSync(LOADED, "utf8")
      .split("\n")
      .some((line) => line.startsWith(`${name} (`));
  } catch {
    // No securityfs, no AppArmor, or not root: the kernel will say so when the profile is set.
    return false;
  }
}

/** Loads the default profile unless it is there and gives its name. Throws `ERR_LAP_APPARMOR`. */
export function ensureDefaultProfile(): string {
  if (isProfileLoaded(DEFAULT_PROFILE)) return DEFAULT_PROFILE;
  const parser = PARSERS.find((path) => existsSync(path));
  if (parser === undefined) {
    throw refuse(
      "apparmor_parser is missing",
      "install the package apparmor, or use --security-opt apparmor=unconfined",
    );
  }
  const text = profileText(DEFAULT_PROFILE, existsSync(`/etc/apparmor.d/${ABI}`) ? ABI : undefined);
  const { status, stderr, error } = spawnSync(parser, ["--skip-cache", "--replace"], {
    input: text,
    encoding: "utf8",
    timeout: TIMEOUT_MS,
  });
  if (status === 0) return DEFAULT_PROFILE;
  throw refuse(stderr?.trim() || "apparmor_parser failed", "use --security-opt apparmor=unconfined", error);
}
