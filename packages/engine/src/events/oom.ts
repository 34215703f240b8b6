// The event `oom`: at the kill, by a process that the supervisor starts then, or at the latest with the end. Once a run: a mark in the
// container's directory says that it was said.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import { dirOf } from "../state/containers.ts";
import type { ContainerRecord } from "../state/record.ts";
import { emitContainer } from "./emit.ts";

const MARK = "oom";

/** Says it unless it was said. */
export function emitOom(context: EngineContext, record: ContainerRecord): void {
  try {
    writeFileSync(join(dirOf(context.paths, record), MARK), "", { flag: "wx" });
  } catch (error) {
    const code = errorCode(error);
    if (code === "EEXIST") return;
    // Without a directory there is nobody else to say it; a full disk takes no event either.
    if (code !== "ENOENT" && code !== "ENOSPC") throw error;
  }
  emitContainer(context, record, "oom");
}

/** A new run begins. */
export function forgetOom(dir: string): void {
  rmSync(join(dir, MARK), { force: true });
}
