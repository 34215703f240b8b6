// Lines of a byte stream, read as they are asked for.
import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

/** Lines without their ends; the last one may lack one. Leaving early destroys the stream. */
export async function* linesOf(stream: Readable): AsyncGenerator<string, void, undefined> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const parts = (rest + decoder.write(chunk)).split("\n");
    rest = parts.pop()!;
    for (const line of parts) yield line.endsWith("\r") ? line.slice(0, -1) : line;
  }
  rest += decoder.end();
  if (rest !== "") yield rest;
}
