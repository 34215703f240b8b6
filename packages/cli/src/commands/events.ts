// `lap events`.
import { LapError } from "@lapstrake/base";
import { eventJson, eventLine, type EngineEvent } from "@lapstrake/engine";
import { parseMoment } from "../args/moment.ts";
import { readFlags } from "../args/parse.ts";
import type { Command, Invocation } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { out } from "../output/print.ts";
import { compileTemplate } from "../template/execute.ts";

export const eventsCommand: Command = {
  name: "events",
  usage: "[OPTIONS]",
  summary: "Get real time events from the server",
  aliases: ["lap system events", "lap events"],
  minArgs: 0,
  maxArgs: 0,
  interspersed: true,
  errorExitCode: 1,
  flags: [
    {
      long: "filter",
      short: "f",
      kind: "list",
      valueName: "filter",
      help: "Filter output based on conditions provided",
    },
    { long: "format", kind: "string", help: "Format output: `json` or a Go template" },
    { long: "since", kind: "string", help: "Show all events created since timestamp" },
    { long: "until", kind: "string", help: "Stream events until this timestamp" },
  ],
  run: events,
};

async function events({ flags, global }: Invocation): Promise<number> {
  const read = readFlags(flags);
  const [since, until] = [read.text("since"), read.text("until")];
  const show = printer(read.text("format"));
  const end = new AbortController();
  process.once("SIGINT", () => end.abort());
  process.once("SIGTERM", () => end.abort());
  const found = await engineFor(global).events({
    filters: filters(read.list("filter")),
    signal: end.signal,
    ...(since === undefined ? {} : { since: parseMoment(since) }),
    ...(until === undefined ? {} : { until: parseMoment(until) }),
  });
  for await (const event of found) out(`${show(event)}\n`);
  return end.signal.aborted ? 130 : 0;
}

function filters(texts: readonly string[]): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const text of texts) {
    const at = text.indexOf("=");
    if (at < 0) {
      const message = `invalid argument "${text}" for "-f, --filter" flag: invalid filter '${text}'`;
      throw new LapError("invalidArgument", "ERR_LAP_FLAG_VALUE", message);
    }
    (found[text.slice(0, at).trim().toLowerCase()] ??= []).push(text.slice(at + 1).trim());
  }
  return found;
}

function printer(format: string | undefined): (event: EngineEvent) => string {
  if (format === undefined) return eventLine;
  if (format === "json" || format === "{{json .}}") return eventJson;
  const render = compileTemplate(format.replaceAll("\\t", "\t").replaceAll("\\n", "\n"), { goType: "events.Message" });
  return (event) => render(fields(event));
}

/** What templates may name; the last three are the old names that docker keeps. */
function fields({ type, action, id, attributes, time }: EngineEvent): Record<string, unknown> {
  const TimeNano = BigInt(time.sec) * 1_000_000_000n + BigInt(time.nsec);
  // A map gives "" for what it has not.
  const Attributes = new Proxy(attributes, {
    getOwnPropertyDescriptor: (target, name) =>
      Object.getOwnPropertyDescriptor(target, name) ?? { configurable: true, enumerable: false, value: "" },
    get: (target, name) => (target as Record<PropertyKey, unknown>)[name] ?? "",
  });
  const from = type === "container" ? (attributes["image"] ?? "") : "";
  const Actor = { ID: id, Attributes };
  return {
    Type: type,
    Action: action,
    Actor,
    Scope: "local",
    Time: time.sec,
    TimeNano,
    Status: action,
    ID: id,
    From: from,
  };
}
