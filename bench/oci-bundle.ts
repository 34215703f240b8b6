// A bundle that every OCI runtime here takes: busybox, every namespace, the default seccomp profile, limits where the host has them.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ResourcesSpec, RuntimeSpec } from "@lapstrake/base";
import { DEFAULT_CAPABILITIES, defaultSeccompProfile, defaultSpec, hostFacts } from "@lapstrake/core";

/** What the benches limit; a host without these controllers measures without. */
export const LIMITS: ResourcesSpec = {
  memory: { limit: 512 * 1024 * 1024 },
  cpu: { quota: 100_000, period: 100_000 },
  pids: { limit: 100 },
};

/** The config of `args` on `rootfs`. */
export function bundleSpec(rootfs: string, args: readonly string[], limits: ResourcesSpec): RuntimeSpec {
  const base = defaultSpec();
  return {
    ...base,
    ociVersion: "1.0.2",
    hostname: "bench",
    process: { ...base.process!, args, env: ["PATH=/bin"] },
    root: { path: rootfs },
    linux: {
      ...base.linux,
      seccomp: defaultSeccompProfile(DEFAULT_CAPABILITIES, hostFacts()),
      // runc adds the default devices itself, and refuses our rule that closes one of them again.
      resources: { devices: [{ allow: false, access: "rwm" }], ...limits },
    },
  };
}

/** Writes the bundle folder `name` beside `rootfs`; its path. */
export function writeBundle(folder: string, name: string, args: readonly string[], limits: ResourcesSpec): string {
  const bundle = join(folder, name);
  mkdirSync(bundle);
  writeFileSync(join(bundle, "config.json"), JSON.stringify(bundleSpec(join(folder, "rootfs"), args, limits)));
  return bundle;
}
