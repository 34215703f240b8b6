// `lap logs`.
import { LapError, parseDurationMs } from "@lapstrake/base";
import { readLog, waitContainer, type LogEntry, type LogOptions } from "@lapstrake/engine";
import { readFlags } from "../args/parse.ts";
import type { Command, Invocation } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { err, out } from "../output/print.ts";

export const logsCommand: Command = {
  name: "logs",
  usage: "[OPTIONS] CONTAINER",
  summary: "Fetch the logs of a container",
  aliases: ["lap container logs", "lap logs"],
  minArgs: 1,
  maxArgs: 1,
  interspersed: true,
  errorExitCode: 1,
  flags: [
    { long: "details", kind: "bool", help: "Show extra details provided to logs" },
    { long: "follow", short: "f", kind: "bool", help: "Follow log output" },
    {
      long: "since",
      kind: "string",
      help: 'Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
    },
    {
      long: "tail",
      short: "n",
      kind: "string",
      help: 'Number of lines to show from the end of the logs (default "all")',
    },
    { long: "timestamps", short: "t", kind: "bool", help: "Show timestamps" },
    {
      long: "until",
      kind: "string",
      help: 'Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
    },
  ],
  run: logs,
};

async function logs({ flags, args, global }: Invocation): Promise<number> {
  const read = readFlags(flags);
  const since = moment("since", read.text("since"));
  const until = moment("until", read.text("until"));
  const engine = engineFor(global);
  const record = engine.find(args[0]!);
  if (record.request.log?.driver === "none") {
    throw new LapError("failedPrecondition", "ERR_LAP_NO_LOG", "configured logging driver does not support reading");
  }
  const isRunning = ["running", "paused"].includes(engine.status(record).state);
  const tail = Number.parseInt(read.text("tail") ?? "all", 10);
  const options: LogOptions = {
    ...(Number.isNaN(tail) ? {} : { tail }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(read.bool("follow") && isRunning
      ? { follow: { ended: waitContainer(engine, record).then(() => undefined) } }
      : {}),
  };
  const print = printer(read.bool("timestamps"), read.bool("details"));
  if (read.bool("follow")) process.once("SIGINT", () => process.exit(130));
  for await (const entry of readLog(engine.logPath(record), options)) print(entry);
  return 0;
}

function printer(timestamps: boolean, details: boolean): (entry: LogEntry) => void {
  return ({ text, stream, time }) => {
    const line = `${timestamps ? `${time} ` : ""}${details ? " " : ""}${text}`;
    (stream === "stdout" ? out : err)(line);
  };
}

/** RFC 3339 text of a time, a date, seconds since the epoch, or how long ago. */
function moment(name: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (/^\d+(?:\.\d+)?$/.test(text)) return iso(Number(text) * 1000);
  if (/^\d{4}-\d\d/.test(text) && !Number.isNaN(Date.parse(text))) return iso(Date.parse(text));
  try {
    return iso(Date.now() - parseDurationMs(text));
  } catch (cause) {
    throw new LapError(
      "invalidArgument",
      "ERR_LAP_FLAG_VALUE",
      `invalid value for "${name}": failed to parse value as time or duration: "${text}"`,
      { cause },
    );
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
