// Images and their extracted layers: blobs are what their digests say, containers find their layers, nothing is kept for nobody.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { digestHex } from "@lapstrake/base";
import { isImageDamage, type StoreProblem } from "@lapstrake/layers";
import type { EngineContext } from "../context.ts";
import { moveToTrash } from "../state/layout.ts";
import { removeFromTrash } from "../state/trash.ts";
import { knownContainers } from "./damaged.ts";
import { isSettled, type CheckOptions, type Finding, type Problem } from "./problem.ts";

const TEXTS: Readonly<Record<StoreProblem["kind"], string>> = {
  missingBlob: "a blob of an image is missing: pull or load the image again",
  damagedRecord:
    "says nothing: an image's record is written again from its blobs, a name is lost and given again with lap tag",
  unreadableBlob: "the disk does not give a blob of an image: the kernel's log may say why",
  damagedBlob: "a blob is not what its digest says: pull or load its image again",
  danglingReference: "a name of an image that is not there",
  unreferenced: "a blob that no image needs",
  leftover: "left over by a process that was killed",
};
const WASTE = new Set<StoreProblem["kind"]>(["unreferenced", "leftover"]);

/** What the image store finds about itself; it repairs on its own, so these are findings. */
export async function imageFindings(context: EngineContext, options: CheckOptions): Promise<Finding[]> {
  const images = await context.images();
  const { quick, repair } = { quick: options.quick === true, repair: options.repair === true };
  const found = await images.store.check({ quick, repair });
  return found.map(({ kind, subject, repaired }) => ({
    kind: WASTE.has(kind) ? "waste" : "damage",
    subject,
    text: TEXTS[kind],
    repaired,
  }));
}

/** Extracted layers: those of containers must be there, those of nobody need not. */
export async function layerProblems(context: EngineContext, minAgeMs: number): Promise<Problem[]> {
  const { paths } = context;
  const { known, isAll } = knownContainers(paths);
  const images = isAll ? await imageLayers(context) : undefined;
  const held = known.flatMap(({ rootfs }) => (rootfs.kind === "module" ? [] : rootfs.layers));
  const needed = new Set([...held, ...(images ?? [])]);
  const missing = known.flatMap(({ name, rootfs }) => {
    if (rootfs.kind === "module" || rootfs.layers.every((layer) => existsSync(join(paths.layers, layer)))) return [];
    const text = "layers of its image are missing: copy out what you need, then remove it and load the image again";
    return [{ kind: "damage" as const, subject: name, text }];
  });
  const waste = readdirSync(paths.layers)
    .filter((name) => images !== undefined && !needed.has(name.replace(/^(?:init|flat)-/, "")))
    .filter((name) => isSettled(join(paths.layers, name), minAgeMs))
    .map((name): Problem => ({
      kind: "waste",
      subject: join(paths.layers, name),
      text: "an extracted layer that neither an image nor a container needs",
      repair: () => removeFromTrash(paths, moveToTrash(paths, join(paths.layers, name)).slice(paths.trash.length + 1)),
    }));
  return [...missing, ...waste];
}

/** Undefined when an image that is damaged or out of reach does not say which it needs. */
async function imageLayers(context: EngineContext): Promise<string[] | undefined> {
  const { store } = await context.images();
  try {
    return store
      .list()
      .flatMap(({ id }) => store.resolve(id).layers)
      .map(({ chainID }) => digestHex(chainID));
  } catch (error) {
    if (isImageDamage(error)) return undefined;
    throw error;
  }
}
