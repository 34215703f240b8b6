// Copies between registries and OCI layout folders, past the store: `oci:FOLDER[:NAME]` is a layout, anything else a reference.
import { mkdirSync } from "node:fs";
import { LapError, type Descriptor } from "@lapstrake/base";
import { LayoutSink, layoutSource, type PushedImage } from "@lapstrake/layers";
import { nodePorts, openNodeDir } from "@lapstrake/layers/node";
import { withLayerOf } from "./derive.ts";
import { openClient, type TransferRequest } from "./registry.ts";
import { inDockersWords } from "./registry-words.ts";

const LAYOUT = "oci:";

interface LayoutPlace {
  readonly folder: string;
  readonly name: string | undefined;
}

/** Throws `ERR_LAP_REFERENCE_INVALID` for a layout without a folder. */
function layoutPlace(text: string): LayoutPlace | undefined {
  if (!text.startsWith(LAYOUT)) return undefined;
  const [, folder, name] = /^([^:]+)(?::(.+))?$/.exec(text.slice(LAYOUT.length)) ?? [];
  if (folder !== undefined) return { folder, name };
  throw new LapError("invalidArgument", "ERR_LAP_REFERENCE_INVALID", `"${text}" names no folder`, {
    hint: "a layout is oci:FOLDER or oci:FOLDER:NAME",
  });
}

/** Copies an image; `platform` takes one of an index. Returns what is at the target then. */
export async function copyImage(from: string, to: string, request: TransferRequest = {}): Promise<Descriptor> {
  const [source, target] = [layoutPlace(from), layoutPlace(to)];
  using registry = openClient();
  using dirs = new DisposableStack();
  const open = (folder: string): ReturnType<typeof openNodeDir> => {
    const dir = openNodeDir(folder);
    dirs.defer(() => dir.close());
    return dir;
  };
  if (target !== undefined) mkdirSync(target.folder, { recursive: true });
  const read = source === undefined ? from : layoutSource(open(source.folder), nodePorts.hash, source.name);
  const written = target === undefined ? to : new LayoutSink(open(target.folder), nodePorts.hash, target.name);
  return await inDockersWords(() => registry.client.copy(read, written, request));
}

/** Puts a folder or a tar on an image of a registry, as `target` in a registry; the layers below are not pulled. */
export async function appendRemote(
  base: string,
  path: string,
  target: string,
  request: TransferRequest = {},
): Promise<PushedImage> {
  using registry = openClient();
  return await withLayerOf(path, (layer) =>
    inDockersWords(() => registry.client.append({ base, target, layer, ...request })),
  );
}
