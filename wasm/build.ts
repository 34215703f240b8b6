// Builds the guests that need no toolchain: wat/NAME.wat to out/NAME.wasm, by the text parser that jco brings.
//   node --conditions=@lapstrake/source wasm/build.ts
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseWat } from "@lapstrake/wasm/component";

const HERE = import.meta.dirname;

/** Builds every text guest; returns the files written. */
export async function buildGuests(outDir: string = join(HERE, "out")): Promise<string[]> {
  mkdirSync(outDir, { recursive: true });
  const names = readdirSync(join(HERE, "wat")).filter((name) => name.endsWith(".wat"));
  const files: string[] = [];
  for (const name of names) {
    const file = join(outDir, name.replace(/\.wat$/, ".wasm"));
    writeFileSync(file, await parseWat(readFileSync(join(HERE, "wat", name), "utf8")));
    files.push(file);
  }
  return files;
}

if (import.meta.main) await buildGuests();
