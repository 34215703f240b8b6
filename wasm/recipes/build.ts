// Makes the image of a recipe: node --conditions=@lapstrake/source wasm/recipes/build.ts NAME FILE
// FILE is an image archive of platform wasip1/wasm, named wasm/NAME; `lap load -i FILE` takes it.
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LapError } from "@lapstrake/base";
import { layerTar, openImageStore, type Image, type ImageStore } from "@lapstrake/layers";
import { nodePorts, openNodeDir } from "@lapstrake/layers/node";
import { assemble } from "./assemble.ts";
import { packageTarball } from "./fetch.ts";
import { RECIPES, type Recipe } from "./recipes.ts";

/** Writes the image of `name` as an archive. */
export async function buildRecipe(name: string, file: string): Promise<void> {
  const recipe = RECIPES[name];
  if (recipe === undefined) {
    const hint = `one of: ${Object.keys(RECIPES).join(", ")}`;
    throw new LapError("notFound", "ERR_LAP_RECIPE", `no recipe "${name}"`, { hint });
  }
  const folder = mkdtempSync(join(tmpdir(), "lapstrake-recipe-"));
  try {
    using dir = openNodeDir(folder);
    const store = openImageStore(dir, nodePorts);
    const image = await commitLayers(store, recipe);
    store.tag(image.id, `wasm/${name}:latest`);
    await writeStream(store.save([`wasm/${name}:latest`]), file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function commitLayers(store: ImageStore, recipe: Recipe): Promise<Image> {
  const tarball = packageTarball(recipe.package);
  if (tarball === undefined) {
    throw new LapError("unavailable", "ERR_LAP_RECIPE", `npm package ${recipe.package} cannot be had`);
  }
  let base: Image | undefined;
  for (const tree of assemble(recipe, tarball)) {
    base = await store.commit({
      base,
      layer: layerTar(tree),
      config: recipe.config,
      platform: { os: "wasip1", architecture: "wasm" },
      annotations: { "org.opencontainers.image.licenses": recipe.licence },
    });
  }
  return base!;
}

async function writeStream(stream: AsyncIterable<Uint8Array>, file: string): Promise<void> {
  const fd = openSync(file, "w");
  try {
    for await (const chunk of stream) for (let at = 0; at < chunk.length;) at += writeSync(fd, chunk, at);
  } finally {
    closeSync(fd);
  }
}

if (import.meta.main) {
  const [name = "", file = ""] = process.argv.slice(2);
  await buildRecipe(name, file);
}
