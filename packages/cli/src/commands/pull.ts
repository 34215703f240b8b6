// `lap pull` and `lap push`.
import {
  LapError,
  familiarName,
  familiarReference,
  formatReference,
  isLapError,
  parsePlatform,
  parseReference,
  type Reference,
} from "@lapstrake/base";
import { listImages, pushImage, repositoryTags, type Engine } from "@lapstrake/engine";
import { readFlags, type FlagReader } from "../args/parse.ts";
import type { Command, Flag, Invocation } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { out } from "../output/print.ts";
import { pullWithProgress } from "./pull-image.ts";
import { interruptible, progressPrinter } from "../output/progress.ts";

const transfer = { minArgs: 1, maxArgs: 1, interspersed: true, errorExitCode: 1 } as const;

function trustFlag(skipped: string): Flag {
  return {
    long: "disable-content-trust",
    kind: "bool",
    help: `Skip image ${skipped} (default true)`,
    harmless: ["true"],
    because: "images are not signed by Notary any more: name the digest, IMAGE@sha256:…",
  };
}

export const pullCommand: Command = {
  ...transfer,
  name: "pull",
  usage: "[OPTIONS] NAME[:TAG|@DIGEST]",
  summary: "Download an image from a registry",
  aliases: ["lap image pull", "lap pull"],
  flags: [
    { long: "all-tags", short: "a", kind: "bool", help: "Download all tagged images in the repository" },
    trustFlag("verification"),
    { long: "platform", kind: "string", help: "Set platform if server is multi-platform capable" },
    { long: "quiet", short: "q", kind: "bool", help: "Suppress verbose output" },
  ],
  async run(invocation) {
    const { read, engine, name, reference, isWhole, isAllTags } = requested(invocation);
    if (isAllTags) {
      for (const tag of await repositoryTags(name)) await pullOne(engine, `${name}:${tag}`, read);
    } else {
      if (!read.bool("quiet") && !isWhole) out("Using default tag: latest\n");
      await pullOne(engine, name, read);
    }
    out(`${isAllTags ? `${reference.domain}/${reference.path}` : formatReference(reference)}\n`);
    return 0;
  },
};

/** What is asked for. Throws `ERR_LAP_FLAG_VALUE` for all tags of one. */
function requested({ flags, args: [name = ""], global }: Invocation): {
  readonly read: FlagReader;
  readonly engine: Engine;
  readonly name: string;
  readonly reference: Reference;
  /** It says which image of its repository. */
  readonly isWhole: boolean;
  readonly isAllTags: boolean;
} {
  const read = readFlags(flags);
  const reference = parseReference(name);
  const isWhole = /[:@][^/]*$/.test(name);
  const isAllTags = read.bool("all-tags");
  const engine = engineFor(global);
  if (!isAllTags || !isWhole) return { read, engine, name, reference, isWhole, isAllTags };
  throw new LapError("invalidArgument", "ERR_LAP_FLAG_VALUE", "tag can't be used with --all-tags/-a");
}

async function pullOne(engine: Engine, name: string, read: FlagReader): Promise<void> {
  const quiet = read.bool("quiet");
  const { tag, digest, path } = parseReference(name);
  const announce = (): void => out(`${tag ?? digest ?? ""}: Pulling from ${path}\n`);
  const shown = { quiet, to: "stdout", plain: true } as const;
  const pulled = await pullWithProgress(engine, name, read.text("platform"), shown, announce);
  if (quiet) return;
  out(`Digest: ${pulled.target.digest}\n`);
  out(`Status: ${pulled.changed ? "Downloaded newer image" : "Image is up to date"} for ${pulled.reference}\n`);
}

export const pushCommand: Command = {
  ...transfer,
  name: "push",
  usage: "[OPTIONS] NAME[:TAG]",
  summary: "Upload an image to a registry",
  aliases: ["lap image push", "lap push"],
  flags: [
    { long: "all-tags", short: "a", kind: "bool", help: "Push all tags of an image to the repository" },
    trustFlag("signing"),
    { long: "platform", kind: "string", help: "Push a platform-specific manifest as a single-platform image" },
    { long: "quiet", short: "q", kind: "bool", help: "Suppress verbose output" },
  ],
  async run(invocation) {
    const { read, engine, name, reference, isWhole, isAllTags } = requested(invocation);
    const quiet = read.bool("quiet");
    if (!quiet && !isWhole && !isAllTags) out("Using default tag: latest\n");
    if (!quiet) out(`The push refers to repository [${reference.domain}/${reference.path}]\n`);
    if (!isAllTags) await pushOne(engine, name, read);
    else for (const each of await localTags(engine, reference)) await pushOne(engine, each, read);
    return 0;
  },
};

async function pushOne(engine: Engine, name: string, read: FlagReader): Promise<void> {
  const quiet = read.bool("quiet");
  const platform = read.text("platform");
  const progress = progressPrinter({ quiet, to: "stdout", plain: true });
  using interrupt = interruptible();
  try {
    const pushed = await pushImage(engine, name, {
      ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
      progress: progress.sink,
      signal: interrupt.signal,
    });
    progress.done();
    const { tag = "latest" } = parseReference(name);
    out(quiet ? `${name}\n` : `${tag}: digest: ${pushed.target.digest} size: ${pushed.target.size}\n`);
  } catch (error) {
    if (!isLapError(error) || error.code !== "ERR_LAP_NO_IMAGE") throw error;
    const reference = parseReference(name);
    const others = await listImages(engine, familiarName(reference));
    if (others.length === 0) throw noLocalImage(reference, error);
    const text = `tag does not exist: ${familiarReference(reference)}`;
    throw new LapError("notFound", "ERR_LAP_FILE", text, { cause: error });
  }
}

/** Every local name of a repository. */
async function localTags(engine: Engine, reference: Reference): Promise<string[]> {
  const rows = await listImages(engine, familiarName(reference));
  const names = rows.flatMap(({ repository, tag }) => (tag === undefined ? [] : [`${repository}:${tag}`]));
  if (names.length > 0) return names;
  throw noLocalImage(reference);
}

function noLocalImage(reference: Reference, cause?: unknown): LapError {
  const text = `An image does not exist locally with the tag: ${familiarName(reference)}`;
  return new LapError("notFound", "ERR_LAP_FILE", text, { cause });
}
