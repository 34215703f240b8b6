// A file that appears when it is complete: what save and export write with -o.
import { once } from "node:events";
import { createWriteStream, renameSync, rmSync } from "node:fs";

/** Writes beside `file` and renames; nothing stays when the chunks fail. */
export async function writeWhole(file: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const temporary = `${file}.lap-${process.pid}`;
  const stream = createWriteStream(temporary, { flags: "wx", mode: 0o600 });
  try {
    await once(stream, "open");
    for await (const chunk of chunks) if (!stream.write(chunk)) await once(stream, "drain");
    stream.end();
    await once(stream, "close");
    renameSync(temporary, file);
  } catch (error) {
    stream.destroy();
    rmSync(temporary, { force: true });
    throw error;
  }
}
