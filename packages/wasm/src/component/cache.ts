// Translated components by content: a folder per digest beside the store. Written beside and renamed, so that readers see all or
// nothing, however many translate the same component and wherever one is killed.
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "@lapstrake/base";
import { JCO_VERSION, translate, type Translated } from "./jco.ts";

/** The translation of `component`, from `cacheDir` when it is there; without a folder nothing is kept. */
export async function translatedOf(
  component: Uint8Array,
  jspi: boolean,
  cacheDir: string | undefined,
): Promise<Translated> {
  if (cacheDir === undefined) return translate(component, jspi);
  const dir = join(cacheDir, keyOf(component, jspi));
  if (existsSync(dir)) return readAll(dir);
  const fresh = await translate(component, jspi);
  publish(fresh, dir);
  return fresh;
}

function keyOf(component: Uint8Array, jspi: boolean): string {
  const digest = createHash("sha256").update(component).digest("hex");
  return `${digest}-${JCO_VERSION}${jspi ? "-jspi" : ""}`;
}

function readAll(dir: string): Translated {
  return Object.fromEntries(readdirSync(dir).map((name) => [name, new Uint8Array(readFileSync(join(dir, name)))]));
}

function publish(files: Translated, dir: string): void {
  const fresh = `${dir}.tmp-${randomUUID()}`;
  mkdirSync(fresh, { recursive: true, mode: 0o700 });
  try {
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(fresh, name), bytes);
    renameSync(fresh, dir);
  } catch (error) {
    // Somebody else was first, with the same bytes.
    if (!["EEXIST", "ENOTEMPTY"].includes(errorCode(error) ?? "")) throw error;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}
