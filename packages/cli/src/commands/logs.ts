// `lap logs`.
import { formatTimestamp, isLapError, LapError } from "@lapstrake/base";
import { readContainerLog, waitContainer, type LogEntry, type LogOptions } from "@lapstrake/engine";
import { parseMoment } from "../args/moment.ts";
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
  const isRunning = ["running", "paused"].includes(engine.status(record).state);
  const tail = Number.parseInt(read.text("tail") ?? "all", 10);
  const options: LogOptions = {
    // Docker takes what is below zero for all.
    ...(Number.isNaN(tail) || tail < 0 ? {} : { tail }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(read.bool("follow") && isRunning
      ? { follow: { ended: Promise.race([waitContainer(engine, record), passed(until)]).then(() => undefined) } }
      : {}),
  };
  const print = printer(read.bool("timestamps"), read.bool("details"));
  if (read.bool("follow")) process.once("SIGINT", () => process.exit(130));
  for await (const entry of readContainerLog(engine, record, options)) print(entry);
  return 0;
}

/** Resolves when the time has come that `--until` names; never without one. */
function passed(until: string | undefined): Promise<void> {
  if (until === undefined) return new Promise(() => undefined);
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, Date.parse(until) - Date.now())));
}

function printer(timestamps: boolean, details: boolean): (entry: LogEntry) => void {
  return ({ text, stream, time, attrs = {} }) => {
    const line = `${timestamps ? `${time} ` : ""}${details ? `${attributes(attrs)} ` : ""}${text}`;
    (stream === "stdout" ? out : err)(line);
  };
}

/** `a=b,c=d` in the order of names, escaped as the query of a URL is. */
function attributes(attrs: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(attrs).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return pairs.map(([name, value]) => `${queryText(name)}=${queryText(value)}`).join(",");
}

function queryText(text: string): string {
  return encodeURIComponent(text)
    .replaceAll("%20", "+")
    .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** RFC 3339 text of a time, a date, seconds since the epoch, or how long ago. */
function moment(name: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    const { sec, nsec } = parseMoment(text);
    return formatTimestamp(sec, nsec);
  } catch (cause) {
    if (!isLapError(cause)) throw cause;
    throw new LapError("invalidArgument", cause.code, `invalid value for "${name}": ${cause.message}`, { cause });
  }
}
