// Events of images, with docker's attributes: the labels of the image, and its name.
import type { Image } from "@lapstrake/layers";
import { emit, type EventSink } from "./emit.ts";

/** Says what happened to an image; `name` is its id where it has none (any more). */
export function emitImage(
  sink: EventSink,
  image: Pick<Image, "id" | "config">,
  action: string,
  name: string = image.id,
): void {
  emit(sink, "image", action, image.id, { ...image.config.config?.Labels, name });
}
