// The AppArmor profile of a container where the kernel has AppArmor: the named one, else the default one, loaded when the
// first container needs it. Not without root, who alone may load one, and not for privileged containers, as docker has it.
import { ensureDefaultProfile, isProfileLoaded, type Bundle } from "@lapstrake/core";
import { LapError } from "@lapstrake/base";
import { parseSecurityOptions } from "../containers/security.ts";
import type { ContainerRecord } from "../state/record.ts";
import { isRootless } from "./rootless.ts";

/** The bundle with its profile. Throws `ERR_LAP_APPARMOR` for a profile that is not loaded and cannot be. */
export function confined(bundle: Bundle, record: ContainerRecord): Bundle {
  const { process } = bundle.spec;
  const { apparmor } = parseSecurityOptions(record.request.securityOpt ?? []);
  if (process === undefined || apparmor === "unconfined") return bundle;
  if (apparmor !== undefined) requireLoaded(apparmor);
  if (apparmor !== undefined || isRootless() || record.request.privileged === true) return bundle;
  return { ...bundle, spec: { ...bundle.spec, process: { ...process, apparmorProfile: ensureDefaultProfile() } } };
}

function requireLoaded(name: string): void {
  if (isRootless() || isProfileLoaded(name)) return;
  throw new LapError("invalidArgument", "ERR_LAP_APPARMOR", `the AppArmor profile "${name}" is not loaded`, {
    hint: "load it with apparmor_parser, or leave --security-opt apparmor away for the default one",
  });
}
