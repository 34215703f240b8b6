// Translated components by content: a folder per digest beside the store. Written beside and renamed, so that readers see all or
// nothing, however many translate the same component and wherever one is killed.
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "@lapstrake/base";
import { JCO_VERSION, type Suspends, type Translated } from "./jco.ts";
import { suspendsOf } from "./kind.ts";
import { translateApart } from "./translate.ts";

/** Translations under way in this process, by key. */
const running = new Map<string, Promise<Translated>>();

/** Translations of this thread, the latest last. */
const made = new Map<string, Translated>();
const MOST_KEPT = 8;

/** One that this thread had before. */
export function madeHere(key: string): Translated | undefined {
  return made.get(key);
}

/** Keeps it, instead of the one that was not asked for longest. */
export function remember(key: string, files: Translated): Translated {
  made.delete(key);
  made.set(key, files);
  for (const oldest of made.keys()) if (made.size > MOST_KEPT) made.delete(oldest);
  return files;
}

/** The translation of `component`, from `cacheDir` when it is there; without a folder nothing is kept. */
export async function translatedOf(
  component: Uint8Array,
  suspends: Suspends,
  cacheDir: string | undefined,
): Promise<Translated> {
  const key = keyOf(component, suspends);
  const kept = cacheDir === undefined ? madeHere(key) : keptTranslation(cacheDir, key);
  if (kept !== undefined) return kept;
  const work = running.get(key) ?? translateApart(component, suspends);
  running.set(key, work);
  try {
    const fresh = await work;
    if (cacheDir !== undefined) publish(fresh, cacheDir, key);
    return cacheDir === undefined ? remember(key, fresh) : fresh;
  } finally {
    running.delete(key);
  }
}

/** Has the translation made and kept; its name in `cacheDir`, undefined when the component needs none. */
export async function translateAhead(
  component: Uint8Array<ArrayBuffer>,
  cacheDir: string,
): Promise<string | undefined> {
  const suspends = suspendsOf(component);
  if (suspends === undefined) return undefined;
  await translatedOf(component, suspends, cacheDir);
  return keyOf(component, suspends);
}

/** The name of a translation. */
export function keyOf(component: Uint8Array, suspends: Suspends): string {
  const digest = createHash("sha256").update(component).digest("hex");
  return `${digest}-${JCO_VERSION}-${suspends}`;
}

/** The translation of that name, if it was kept. */
export function keptTranslation(cacheDir: string | undefined, key: string): Translated | undefined {
  const dir = cacheDir === undefined ? "" : join(cacheDir, key);
  if (dir === "" || !existsSync(dir)) return undefined;
  return Object.fromEntries(readdirSync(dir).map((name) => [name, new Uint8Array(readFileSync(join(dir, name)))]));
}

function publish(files: Translated, cacheDir: string, key: string): void {
  const fresh = join(cacheDir, `${key}${UNFINISHED}${randomUUID()}`);
  if (!makeFolder(fresh)) return;
  removeAbandoned(cacheDir);
  try {
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(fresh, name), bytes, { flush: true });
    renameSync(fresh, join(cacheDir, key));
  } catch (error) {
    // Somebody else was first, with the same bytes.
    if (!["EEXIST", "ENOTEMPTY"].includes(errorCode(error) ?? "")) throw error;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** False where the cache is for reading only, as in the sandbox of a container: nobody else runs what was made there. */
function makeFolder(path: string): boolean {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return true;
  } catch (error) {
    if (errorCode(error) === "EROFS") return false;
    throw error;
  }
}

const UNFINISHED = ".tmp-";
const ABANDONED_MS = 3_600_000;

/** What processes left that were killed while they wrote. */
function removeAbandoned(cacheDir: string): void {
  for (const name of readdirSync(cacheDir)) {
    if (!name.includes(UNFINISHED)) continue;
    const folder = join(cacheDir, name);
    const { mtimeMs } = statSync(folder, { throwIfNoEntry: false }) ?? { mtimeMs: Infinity };
    if (Date.now() - mtimeMs > ABANDONED_MS) rmSync(folder, { recursive: true, force: true });
  }
}
