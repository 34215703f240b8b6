// Writes precompiled.ts: the filters that nearly every container has, so that a command that starts one need not compile it.
// Run after any change of the compiler or the default profile (cache.test.ts fails until then):
//   node --conditions=@lapstrake/source precompile.ts
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_CAPABILITIES } from "../../spec/capabilities.ts";
import { keyOf } from "../cache.ts";
import { compileSeccomp } from "../compile.ts";
import { FLAG_SPEC_ALLOW } from "../numbers.ts";
import { defaultProfileName, defaultSeccompProfile, type ProfileHost } from "../profile/default.ts";
import type { SeccompOptions } from "../types.ts";

const KERNEL = { release: "6.1", major: 6, minor: 1 };
const LINE = 116;

/** Key, program in base64, and name of the profile, of every filter that is kept. */
export function precompile(): [key: string, program: string, name: string][] {
  const hosts: ProfileHost[] = [
    { arch: "x86_64", kernel: KERNEL },
    { arch: "aarch64", kernel: KERNEL },
  ];
  return hosts.flatMap((host) =>
    [DEFAULT_CAPABILITIES, []].map((capabilities): [string, string, string] => {
      const profile = defaultSeccompProfile(capabilities, host);
      const options: SeccompOptions = { arch: host.arch, newer: "enosys" };
      const { program, flags, listener, warnings } = compileSeccomp(profile, options);
      if (flags !== FLAG_SPEC_ALLOW || listener || warnings.length > 0)
        throw new Error("cache.ts gives every precompiled filter the same flags");
      return [keyOf(profile, options), Buffer.from(program).toString("base64"), defaultProfileName(profile) ?? ""];
    }),
  );
}

function entry([key, program]: [string, string, string]): string {
  const lines = program.match(new RegExp(`.{1,${LINE}}`, "g")) ?? [];
  return `  [\n    "${key}",\n    \`${lines.join("\n")}\`,\n  ],`;
}

if (import.meta.main) {
  const text = [
    "// Filters of the default profile by the hash of what they are compiled from; written by precompile.ts, see there.",
    "",
    "/** Programs in base64, with line breaks. */",
    "export const PRECOMPILED: ReadonlyMap<string, string> = new Map([",
    ...precompile().map(entry),
    "]);",
    "",
    "/** Keys by the names of profile/default.ts. */",
    "export const PRECOMPILED_NAMES: ReadonlyMap<string, string> = new Map([",
    ...precompile().map(([key, , name]) => `  ["${name}", "${key}"],`),
    "]);",
    "",
  ];
  writeFileSync(join(import.meta.dirname, "precompiled.ts"), text.join("\n"));
}
