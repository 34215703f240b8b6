// Components are translated before their first start, outside of the sandbox, into a cache that sandboxes can only read: a guest
// that broke out of its own could else change the code of others. What an image's program is gets noted, so that a start looks once.
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { LapError, errorCode } from "@lapstrake/base";
import { DETECT_BYTES, detectWasm } from "@lapstrake/wasm";
import type { EngineContext } from "../context.ts";
import { writeFileAtomic } from "../state/atomic.ts";
import { dirOf } from "../state/containers.ts";
import type { ContainerRecord } from "../state/record.ts";
import { MODULE_FILE, translationsDir } from "./handover.ts";

/** Sees to the translation of the program that the container starts with, if that is a component. */
export async function prepareProgram(context: EngineContext, record: ContainerRecord): Promise<void> {
  try {
    await prepare(context, record);
  } catch (error) {
    // What is wrong with the program is for its payload to say, with the exit code for that.
    if (!(error instanceof LapError) || error.kind !== "invalidArgument") throw error;
  }
}

async function prepare(context: EngineContext, record: ContainerRecord): Promise<void> {
  const { root } = context.paths;
  if (record.rootfs.kind === "module") {
    const file = join(dirOf(context.paths, record), MODULE_FILE);
    if (headKind(file) === "module") return;
    await (await import("./wasm-translate.ts")).translateFile(file, translationsDir(root));
    return;
  }
  const note = notePath(root, record);
  const key = readNote(note);
  if (key === "" || (key !== undefined && existsSync(join(translationsDir(root), key)))) return;
  const { translateProgram } = await import("./wasm-translate.ts");
  const made = await translateProgram(root, record, translationsDir(root));
  mkdirSync(join(note, ".."), { recursive: true, mode: 0o700 });
  writeFileAtomic(note, made ?? "");
}

function headKind(file: string): ReturnType<typeof detectWasm> {
  const head = new Uint8Array(DETECT_BYTES);
  const fd = openSync(file, "r");
  try {
    return detectWasm(head.subarray(0, readSync(fd, head)));
  } finally {
    closeSync(fd);
  }
}

/** One small file per image and program: the translation's name, or nothing. */
function notePath(root: string, { image, process }: ContainerRecord): string {
  const path = process.env.find((line) => line.startsWith("PATH=")) ?? "";
  const name = [image.id, process.args[0], process.cwd, path].join("\0");
  return join(root, "cache", "wasm", "programs", createHash("sha256").update(name).digest("hex"));
}

function readNote(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
