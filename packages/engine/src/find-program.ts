// Where a program of somebody else's is that the engine starts: along PATH, as execvp(3) looks, but never in a relative folder.
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** The first executable file of that name in the absolute folders of `path`, then in `more`; undefined when there is none. */
export function findProgram(
  name: string,
  path: string = process.env["PATH"] ?? "",
  more: readonly string[] = [],
): string | undefined {
  const folders = [...path.split(delimiter), ...more].filter(isAbsolute);
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

/** True for a file that this user may execute. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Absent, or not ours to run.
    return false;
  }
}
