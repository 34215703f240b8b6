// What the compiler understands, for `lap-runtime features` (runtime-spec features-linux.md "Seccomp").
import { ACTIONS, ARCH_NAMES, FLAGS, OPERATORS } from "./numbers.ts";

/** The names of the specification that are supported; plain JSON. */
export interface SeccompFeatures {
  readonly enabled: true;
  readonly actions: readonly string[];
  readonly operators: readonly string[];
  readonly archs: readonly string[];
  readonly knownFlags: readonly string[];
  readonly supportedFlags: readonly string[];
}

/** Actions, operators, architectures (those a filter is made for) and flags. */
export function seccompFeatures(): SeccompFeatures {
  const flags = Object.keys(FLAGS);
  return {
    enabled: true,
    actions: Object.keys(ACTIONS),
    operators: Object.keys(OPERATORS),
    archs: Object.keys(ARCH_NAMES).filter((name) => ARCH_NAMES[name] !== null),
    knownFlags: flags,
    supportedFlags: flags,
  };
}
