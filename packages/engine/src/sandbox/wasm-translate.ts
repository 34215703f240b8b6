// Finds the program that a Wasm container starts with and has it translated when it is a component. Loaded when a program is new.
import { readFileSync } from "node:fs";
import { UnionFs } from "@lapstrake/layers";
import { detectWasm } from "@lapstrake/wasm";
import { programBytes } from "@lapstrake/wasm/node";
import { imageTrees } from "../images/trees.ts";
import type { ContainerRecord } from "../state/record.ts";

/** The name of the translation of a file; undefined when it needs none. */
export function translateFile(file: string, cacheDir: string): Promise<string | undefined> {
  return translated(new Uint8Array(readFileSync(file)), cacheDir);
}

/** The same for what an image's command names. A name that stands for nothing is for the payload to say. */
export async function translateProgram(
  root: string,
  record: ContainerRecord,
  cacheDir: string,
): Promise<string | undefined> {
  const { args, cwd, env } = record.process;
  const fs = UnionFs.create(await imageTrees(root, record.image.id!), { readOnly: true });
  const path = env.find((line) => line.startsWith("PATH="))?.slice("PATH=".length);
  const bytes = programBytes(fs, args[0] ?? "", cwd, path);
  return bytes === undefined ? undefined : translated(bytes, cacheDir);
}

async function translated(bytes: Uint8Array<ArrayBuffer>, cacheDir: string): Promise<string | undefined> {
  const kind = detectWasm(bytes);
  if (kind !== "component") return undefined;
  const { translateAhead } = await import("@lapstrake/wasm/component");
  return translateAhead(bytes, cacheDir);
}
