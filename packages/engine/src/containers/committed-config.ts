// The config of an image made of a container: what the container was told, over what its image says; docker's merge for commit.
import type { ExecConfig } from "@lapstrake/base";
import type { ContainerRecord } from "../state/record.ts";

/** `changes` are those of `--change`. */
export function committedConfig(record: ContainerRecord, image: ExecConfig = {}, changes: ExecConfig = {}): ExecConfig {
  const { request, process } = record;
  const isOverHost = record.rootfs.kind === "host";
  const given = request.command !== undefined && request.command.length > 0 ? request.command : undefined;
  const cmd = given ?? (request.entrypoint === undefined ? image.Cmd : undefined);
  const entrypoint = request.entrypoint ?? image.Entrypoint;
  const env = lastOfEach([...(image.Env ?? []), ...(request.env ?? []), ...(changes.Env ?? [])]);
  const labels = { ...image.Labels, ...request.labels, ...changes.Labels };
  const ports = { ...image.ExposedPorts, ...keys(request.exposedPorts), ...changes.ExposedPorts };
  const volumes = { ...image.Volumes, ...changes.Volumes };
  return {
    ...(isOverHost && cmd === undefined ? { Cmd: process.args } : {}),
    ...(cmd === undefined ? {} : { Cmd: cmd }),
    ...(entrypoint === undefined ? {} : { Entrypoint: entrypoint }),
    ...(env.length === 0 ? {} : { Env: env }),
    ...(process.user === "" ? {} : { User: process.user }),
    ...(process.cwd === "/" && image.WorkingDir === undefined ? {} : { WorkingDir: process.cwd }),
    ...(Object.keys(labels).length === 0 ? {} : { Labels: labels }),
    ...(Object.keys(ports).length === 0 ? {} : { ExposedPorts: ports }),
    ...(Object.keys(volumes).length === 0 ? {} : { Volumes: volumes }),
    ...without(changes),
  };
}

function lastOfEach(lines: readonly string[]): string[] {
  return [...new Map(lines.map((line) => [line.split("=", 1)[0]!, line])).values()];
}

function keys(names: readonly string[] | undefined): Record<string, Record<string, never>> {
  return Object.fromEntries((names ?? []).map((name) => [name, {}]));
}

/** The fields that replace; the others were merged. */
function without({ Env, Labels, ExposedPorts, Volumes, ...rest }: ExecConfig): ExecConfig {
  void [Env, Labels, ExposedPorts, Volumes];
  return rest;
}
