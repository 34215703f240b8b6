// `--init`: our small init is bound into the container and runs its program (docker's path, so that who looks for it finds it).
import { LapError, type RuntimeSpec } from "@lapstrake/base";
import { findNative } from "@lapstrake/core";

const TARGET = "/sbin/docker-init";

/** The specification with the init as its program. Throws `ERR_LAP_NO_NATIVE`. */
export function withInit(spec: RuntimeSpec): RuntimeSpec {
  const source = findNative("lap-init");
  if (source === undefined) {
    throw new LapError("failedPrecondition", "ERR_LAP_NO_NATIVE", 'the program "lap-init" is missing', {
      hint: "build it: node native/build.mjs",
    });
  }
  const mount = { destination: TARGET, type: "bind", source, options: ["bind", "ro", "rprivate"] };
  const process = { ...spec.process!, args: [TARGET, "--", ...(spec.process?.args ?? [])] };
  return { ...spec, process, mounts: [...(spec.mounts ?? []), mount] };
}
