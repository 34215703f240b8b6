// `lap port`.
import { LapError } from "@lapstrake/base";
import { hostAddress, isOnUserNetwork, type Engine, type ShownPort } from "@lapstrake/engine";
import type { Command, Invocation } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { err, out } from "../output/print.ts";

export const portCommand: Command = {
  name: "port",
  usage: "CONTAINER [PRIVATE_PORT[/PROTO]]",
  summary: "List port mappings or a specific mapping for the container",
  aliases: ["lap container port", "lap port"],
  minArgs: 1,
  maxArgs: 2,
  interspersed: true,
  errorExitCode: 1,
  flags: [],
  run: port,
};

async function port({ args, global }: Invocation): Promise<number> {
  const [container, wanted] = args as [string, string | undefined];
  const engine = engineFor(global);
  const record = engine.find(container);
  const isOnNetwork = record.networks !== undefined || isOnUserNetwork(record);
  const ports = isOnNetwork ? await portsOf(engine, record.id) : [];
  if (wanted === undefined) {
    out(ports.map((each) => `${portName(each)} -> ${hostAddress(each)}\n`).join(""));
    return 0;
  }
  const found = ports.filter((each) => portName(each) === wantedName(wanted));
  if (found.length > 0) out(found.map((each) => `${hostAddress(each)}\n`).join(""));
  else err(`Error: No public port '${wanted}' published for ${container}\n`);
  return found.length > 0 ? 0 : 1;
}

async function portsOf(engine: Engine, id: string): Promise<ShownPort[]> {
  const ports = (await engine.publishedPorts()).get(id) ?? [];
  const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  // "[::]" stands behind digits.
  return ports.toSorted(
    (a, b) =>
      a.port - b.port ||
      byText(a.protocol, b.protocol) ||
      byText(hostAddress(a), hostAddress(b)) ||
      a.hostPort - b.hostPort,
  );
}

function portName(each: ShownPort): string {
  return `${each.port}/${each.protocol}`;
}

function wantedName(text: string): string {
  const [number = "", protocol = "tcp"] = text.split("/");
  if (/^\d+$/.test(number)) return `${Number(number)}/${protocol.toLowerCase()}`;
  throw new LapError("invalidArgument", "ERR_LAP_FLAG_VALUE", `Error: invalid port '${text}'`);
}
