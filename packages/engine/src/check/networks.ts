// Networks: each file of networks/ is a record. A damaged one is out of the way of the others already; repair takes it away.
import { join } from "node:path";
import type { EngineContext } from "../context.ts";
import { parseNetworkRecord } from "../network/network-record.ts";
import { namesIn } from "../state/names-in.ts";
import { readStored } from "../state/read-stored.ts";
import { isLost, readOr, strange, unreadable } from "./damaged.ts";
import { isSettled, type Problem } from "./problem.ts";

/** Damaged records. */
export function networkRecordProblems({ paths }: EngineContext, minAgeMs: number): Problem[] {
  const dir = join(paths.root, "networks");
  return recordsIn(dir).flatMap((file) => {
    const path = join(dir, file);
    const read = readOr(() => {
      const text = readStored(path);
      return text === undefined ? undefined : parseNetworkRecord(text, path);
    });
    if ("value" in read || !isSettled(path, minAgeMs)) return [];
    if (!isLost(read.error)) return [unreadable(path, read.error)];
    return [strange(paths, path, "a network record that says nothing; make the network again, it has no members now")];
  });
}

function recordsIn(dir: string): string[] {
  return namesIn(dir).filter((name) => name.endsWith(".json"));
}
