// A question on the terminal; what is typed behind a hidden one is not shown.
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { LapError } from "@lapstrake/base";
import { out } from "../output/print.ts";

/** Resolves to the line that was typed, without blanks around it. Throws `ERR_LAP_INTERRUPTED` for Ctrl-C and at the end of the input. */
export async function ask(question: string, options: { readonly hidden?: boolean } = {}): Promise<string> {
  out(question);
  const hidden = options.hidden === true;
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: hidden ? silent : process.stdout, terminal: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      const stop = (): void => reject(new LapError("canceled", "ERR_LAP_INTERRUPTED", "interrupted"));
      lines.once("line", (line) => resolve(hidden ? line : line.trim()));
      lines.once("SIGINT", stop);
      lines.once("close", stop);
    });
  } finally {
    lines.close();
    if (hidden) out("\n");
  }
}
