// `export` and `save`: a tar stream to the file that was named, or to whatever reads our output.
import { LapError } from "@lapstrake/base";
import { outBytes } from "./print.ts";
import { writeWhole } from "./whole-file.ts";

/** Throws `ERR_LAP_TERMINAL_OUTPUT` when the archive would go to a terminal; asked before it is made. */
export function refuseTerminal(file: string | undefined): void {
  if (file !== undefined || !process.stdout.isTTY) return;
  const text = "cowardly refusing to save to a terminal. Use the -o flag or redirect";
  throw new LapError("invalidArgument", "ERR_LAP_TERMINAL_OUTPUT", text);
}

/** Writes the archive; a named file appears whole. */
export async function writeArchive(file: string | undefined, tar: AsyncIterable<Uint8Array>): Promise<void> {
  if (file === undefined) for await (const chunk of tar) outBytes(chunk);
  else await writeWhole(file, tar);
}
