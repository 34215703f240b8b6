// A profile file in Docker's form → the OCI form, for one container: conditions on capabilities, architecture and kernel are
// decided here, `archMap` becomes `architectures`. What docker run --security-opt seccomp=FILE takes (moby/profiles seccomp).
import type { SeccompSpec } from "@lapstrake/base";
import { invalid, list, object, shown, type Json } from "../fields.ts";
import type { ProfileHost } from "./default.ts";

const NATIVE = { x86_64: "SCMP_ARCH_X86_64", aarch64: "SCMP_ARCH_AARCH64" } as const;
const DOCKER_ARCHES = { x86_64: "amd64", aarch64: "arm64" } as const;

interface Target {
  readonly capabilities: readonly string[];
  readonly host: ProfileHost;
}

function kernelIsAtLeast(version: unknown, field: string, { kernel }: ProfileHost): boolean {
  const found = typeof version === "string" ? /^(\d+)\.(\d+)$/.exec(version) : null;
  if (found === null) throw invalid(field, `must be a version like "4.8", not ${shown(version)}`);
  const [major, minor] = [Number(found[1]), Number(found[2])];
  return kernel.major > major || (kernel.major === major && kernel.minor >= minor);
}

interface Verdicts {
  readonly arch: boolean | undefined;
  readonly caps: readonly boolean[];
  readonly kernel: boolean | undefined;
}

// What each part of an `includes` or `excludes` says; undefined and empty: it says nothing.
function verdicts(filter: Json, field: string, { capabilities, host }: Target): Verdicts {
  const arches = list(filter["arches"], `${field}.arches`);
  const caps = list(filter["caps"], `${field}.caps`);
  const minKernel = filter["minKernel"] ?? undefined;
  return {
    arch: arches.length === 0 ? undefined : arches.includes(DOCKER_ARCHES[host.arch]),
    caps: caps.map((name) => capabilities.includes(name as string)),
    kernel: minKernel === undefined ? undefined : kernelIsAtLeast(minKernel, `${field}.minKernel`, host),
  };
}

function applies(rule: Json, field: string, target: Target): boolean {
  const includes = verdicts(object(rule["includes"] ?? {}, `${field}.includes`), `${field}.includes`, target);
  const excludes = verdicts(object(rule["excludes"] ?? {}, `${field}.excludes`), `${field}.excludes`, target);
  const isIncluded = includes.arch !== false && includes.kernel !== false && includes.caps.every(Boolean);
  return isIncluded && excludes.arch !== true && excludes.kernel !== true && !excludes.caps.some(Boolean);
}

function ociRule(rule: Json, field: string): Json {
  const { name, names, comment: _comment, includes: _includes, excludes: _excludes, ...rest } = rule;
  if (name === undefined || name === "") return { ...rest, names };
  if (list(names, `${field}.names`).length > 0) throw invalid(field, "has both name and names, use one of them");
  return { ...rest, names: [name] };
}

function architectures(profile: Json, { host }: Target): readonly unknown[] {
  const own = list(profile["architectures"], ".architectures");
  const map = list(profile["archMap"], ".archMap").map((entry, at) => object(entry, `.archMap[${at}]`));
  if (own.length > 0 && map.length > 0) throw invalid(".archMap", "is there beside architectures, use one of them");
  const at = map.findIndex(({ architecture }) => architecture === NATIVE[host.arch]);
  if (at < 0) return own;
  return [NATIVE[host.arch], ...list(map[at]!["subArchitectures"], `.archMap[${at}].subArchitectures`)];
}

/**
 * The OCI profile that a Docker profile means for a container with these capabilities; an OCI profile stays what it is.
 * Undefined for a profile that says nothing at all, which Docker takes for no filter. Throws `ERR_LAP_SPEC_INVALID` that
 * names the field; what the compiler checks is left to it.
 */
export function resolveSeccompProfile(
  profile: unknown,
  capabilities: readonly string[],
  host: ProfileHost,
): SeccompSpec | undefined {
  const json = object(profile, "");
  const target = { capabilities, host };
  const rules = list(json["syscalls"], ".syscalls").map((rule, at) => object(rule, `.syscalls[${at}]`));
  if ((json["defaultAction"] ?? "") === "" && rules.length === 0) return undefined;
  const { archMap: _archMap, ...rest } = json;
  const syscalls = rules.flatMap((rule, at) => {
    const field = `.syscalls[${at}]`;
    return applies(rule, field, target) ? [ociRule(rule, field)] : [];
  });
  return { ...rest, architectures: architectures(json, target), syscalls } as unknown as SeccompSpec;
}
