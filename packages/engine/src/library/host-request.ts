// The library's options as a CreateRequest, the engine's own form of what to make.
import type { CreateRequest } from "../containers/request.ts";
import { parsePortSpec } from "../network/port-spec.ts";
import type { ContainerOptions } from "./types.ts";

/** What `lap create` would be asked for. */
export function createRequest(image: string, options: ContainerOptions, command?: readonly string[]): CreateRequest {
  const { env, cwd, ports, volumes, request } = options;
  return {
    image,
    ...picked(options),
    ...(command === undefined ? {} : { command }),
    ...(env === undefined ? {} : { env: envLines(env) }),
    ...(cwd === undefined ? {} : { workdir: cwd }),
    ...(ports === undefined ? {} : { ports: ports.flatMap((port) => parsePortSpec(String(port))) }),
    ...(volumes === undefined ? {} : { binds: volumes }),
    ...request,
  };
}

const SAME = [
  "name",
  "hostname",
  "network",
  "labels",
  "memoryBytes",
  "cpus",
  "pidsLimit",
  "readonlyRootfs",
  "platform",
  "user",
  "entrypoint",
] as const;

/** Fields that are called the same. */
function picked(options: ContainerOptions): Partial<CreateRequest> {
  return Object.fromEntries(SAME.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])));
}

/** `NAME=value` lines. */
export function envLines(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}
