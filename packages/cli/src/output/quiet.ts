// -q beside --format: docker warns, and -q wins.
import type { FlagReader } from "../args/parse.ts";
import { err } from "./print.ts";

/** What to print: ids only, a format, or (undefined) the table. */
export function quietOrFormat(read: FlagReader): string | undefined {
  const format = read.text("format");
  if (!read.bool("quiet")) return format === "" ? undefined : format;
  if (format !== undefined && format !== "")
    err("WARNING: Ignoring custom format, because both --format and --quiet are set.\n");
  return "quiet";
}
