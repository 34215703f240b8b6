// Makes the image of a recipe: node --conditions=@lapstrake/source wasm/recipes/build.ts NAME FOLDER
// FOLDER becomes an image store with one image NAME of platform wasip1/wasm; `lap load -i FOLDER` takes it.
import { mkdirSync } from "node:fs";
import { LapError } from "@lapstrake/base";
import { layerTar, openImageStore, type Image } from "@lapstrake/layers";
import { nodePorts, openNodeDir } from "@lapstrake/layers/node";
import { assemble } from "./assemble.ts";
import { packageTarball } from "./fetch.ts";
import { RECIPES } from "./recipes.ts";

/** Builds `name` into `folder`. */
export async function buildRecipe(name: string, folder: string): Promise<Image> {
  const recipe = RECIPES[name];
  if (recipe === undefined) {
    throw new LapError("notFound", "ERR_LAP_RECIPE", `no recipe "${name}"`, {
      hint: `one of: ${Object.keys(RECIPES).join(", ")}`,
    });
  }
  const tarball = packageTarball(recipe.package);
  if (tarball === undefined) {
    throw new LapError("unavailable", "ERR_LAP_RECIPE", `npm package ${recipe.package} cannot be had`);
  }
  mkdirSync(folder, { recursive: true });
  const store = openImageStore(openNodeDir(folder), nodePorts);
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
  store.tag(base!.id, `wasm/${name}:latest`);
  return base!;
}

if (import.meta.main) {
  const [name = "", folder = ""] = process.argv.slice(2);
  const image = await buildRecipe(name, folder);
  process.stdout.write(`${image.id}\n`);
}
