// `lap attach`.
import { LapError } from "@lapstrake/base";
import { attachContainer, sayDetached, sayResized, type ContainerRecord, type Engine } from "@lapstrake/engine";
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { err } from "../output/print.ts";
import { connectStreams, type SessionOptions } from "../terminal/streams.ts";

export const attachCommand: Command = {
  name: "attach",
  usage: "[OPTIONS] CONTAINER",
  summary: "Attach local standard input, output, and error streams to a running container",
  aliases: ["lap container attach", "lap attach"],
  minArgs: 1,
  maxArgs: 1,
  interspersed: true,
  errorExitCode: 1,
  flags: [
    { long: "detach-keys", kind: "string", help: "Override the key sequence for detaching a container" },
    { long: "no-stdin", kind: "bool", help: "Do not attach STDIN" },
    { long: "sig-proxy", kind: "bool", help: "Proxy all received signals to the process (default true)" },
  ],
  async run({ flags, args, global }) {
    const read = readFlags(flags);
    const engine = engineFor(global);
    const record = engine.find(args[0]!);
    const { state } = engine.status(record);
    if (state !== "running") {
      const advice = state === "paused" ? "unpause it first" : "start it first";
      const text = `You cannot attach to a ${state === "paused" ? "paused" : "stopped"} container, ${advice}`;
      throw new LapError("conflict", "ERR_LAP_FILE", text);
    }
    const stdin = record.process.openStdin && !read.bool("no-stdin");
    return attachTo(engine, record, {
      stdin,
      detachKeys: read.text("detach-keys"),
      sigProxy: !read.has("sig-proxy") || read.bool("sig-proxy"),
    });
  },
};

/** Attaches to what runs until it ends or the detach keys come; resolves to the exit code. */
export async function attachTo(engine: Engine, record: ContainerRecord, options: SessionOptions): Promise<number> {
  const attachment = await attachContainer(engine, record, { stdin: options.stdin });
  const outcome = await connectStreams(attachment, record.process.tty, {
    ...options,
    resized: (rows, columns) => sayResized(engine, record, rows, columns),
  });
  if (outcome.kind === "exited") return outcome.status.exitCode;
  sayDetached(engine, record);
  err("read escape sequence\n");
  return 1;
}
