// What docker tells of a push: its layers, each one, also those that the registry has; the config and manifests go unsaid.
import type { ProgressEvent, ProgressSink } from "@lapstrake/base";
import type { Image } from "@lapstrake/layers";

/** Wraps a sink for the push of `image`; `finish` tells what was not talked about. */
export function layerProgress(image: Image, sink: ProgressSink): { readonly sink: ProgressSink; finish(): void } {
  const layers = image.manifest.layers.map(({ digest }) => digest as string);
  const told = new Set<string>();
  return {
    sink(event: ProgressEvent) {
      if (event.id === image.manifest.config.digest) return;
      told.add(event.id);
      sink(event);
    },
    finish() {
      const silent = [...new Set(layers)].filter((digest) => !told.has(digest));
      for (const status of ["Preparing", "Layer already exists"]) for (const id of silent) sink({ id, status });
    },
  };
}
