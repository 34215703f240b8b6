// Folders of a store come about when they are needed: a reader finds them empty until then.
import { readdirSync } from "node:fs";
import { errorCode } from "@lapstrake/base";

/** Names in a folder; none when it is not there. */
export function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}
