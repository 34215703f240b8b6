// The SIZE column of `lap ps`: it costs a walk over what each container wrote, so only who asks for it loads this.
import { formatSize } from "@lapstrake/base";
import { containerSizeBytes, listImages, type ContainerSummary, type Engine } from "@lapstrake/engine";
import type { Row } from "../output/template.ts";

/** The rows with their sizes. */
export async function withSizes(
  engine: Engine,
  found: readonly ContainerSummary[],
  rows: readonly Row[],
): Promise<Row[]> {
  const images = new Map((await listImages(engine)).map(({ id, sizeBytes }) => [id, sizeBytes]));
  const sized: Row[] = [];
  for (const [at, { record }] of found.entries()) {
    const own = await containerSizeBytes(engine, record);
    const below = record.image.id === undefined ? 0 : (images.get(record.image.id) ?? 0);
    sized.push({ ...rows[at], Size: `${formatSize(own)} (virtual ${formatSize(own + below)})` });
  }
  return sized;
}
