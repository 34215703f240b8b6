// An image as docker's inspect shows it.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { digestHex, familiarName, parseReference, type ExecConfig } from "@lapstrake/base";
import type { Image } from "@lapstrake/layers";
import type { Engine } from "../engine.ts";
import type { InspectObject } from "../containers/inspect.ts";
import { knownDigests } from "./known-digests.ts";
import { findImage } from "./operations.ts";

/** The object `docker image inspect IMAGE` prints. Throws `ERR_LAP_NO_IMAGE`. */
export async function inspectImage(engine: Engine, name: string): Promise<InspectObject> {
  const { store } = await engine.images();
  const image = findImage(store, name);
  const { config } = image;
  const known = knownDigests(engine.context.paths);
  const repositories = new Set(image.references.map((text) => familiarName(parseReference(text))));
  const digests = [...repositories].map((repository) => `${repository}@${image.target.digest}`);
  return {
    Id: image.id,
    RepoTags: image.references,
    RepoDigests: digests.filter((digest) => known.has(digest)),
    Parent: "",
    Comment: config.history?.at(-1)?.comment ?? "",
    Created: config.created ?? "",
    DockerVersion: "",
    Author: config.author ?? "",
    Config: configObject(config.config ?? {}),
    Architecture: config.architecture,
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Os: config.os,
    Size: image.size,
    GraphDriver: { Data: graphData(engine, image), Name: "overlay2" },
    RootFS: { Type: "layers", Layers: config.rootfs.diff_ids },
    Metadata: { LastTagTime: new Date(image.addedSec * 1000).toISOString() },
    Descriptor: image.target,
  };
}

/** Where its layers are extracted; null before the first container of it. */
function graphData(engine: Engine, { layers }: Image): InspectObject | null {
  const dirs = layers.toReversed().map(({ chainID }) => join(engine.context.paths.layers, digestHex(chainID)));
  const [upper, ...lower] = dirs;
  if (upper === undefined || !existsSync(upper)) return null;
  return { ...(lower.length === 0 ? {} : { LowerDir: lower.join(":") }), UpperDir: upper };
}

function configObject(config: ExecConfig): InspectObject {
  return {
    Hostname: "",
    Domainname: "",
    User: config.User ?? "",
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    ...(config.ExposedPorts === undefined ? {} : { ExposedPorts: config.ExposedPorts }),
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: config.Env ?? null,
    Cmd: config.Cmd ?? null,
    ...(config.Healthcheck === undefined ? {} : { Healthcheck: config.Healthcheck }),
    Image: "",
    Volumes: config.Volumes ?? null,
    WorkingDir: config.WorkingDir ?? "",
    Entrypoint: config.Entrypoint ?? null,
    OnBuild: config.OnBuild ?? null,
    Labels: config.Labels ?? null,
    ...(config.StopSignal === undefined ? {} : { StopSignal: config.StopSignal }),
  };
}
