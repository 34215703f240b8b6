// Which programs of other projects are installed: lines of `lap doctor` name them.
import { existsSync } from "node:fs";
import { delimiter } from "node:path";

/** True when a folder of PATH has the program. */
export function onPath(command: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((dir) => dir !== "" && existsSync(`${dir}/${command}`));
}
