// `lap inspect`: containers, then images, as docker looks names up.
import { LapError, isLapError } from "@lapstrake/base";
import {
  inspectContainer,
  inspectImage,
  inspectNetwork,
  inspectVolume,
  type Engine,
  type InspectObject,
} from "@lapstrake/engine";
import { INSPECT_FORMAT_HELP } from "../args/format-help.ts";
import { readFlags } from "../args/parse.ts";
import type { Command, Invocation } from "../args/types.ts";
import { errorText } from "../errors.ts";
import { engineFor } from "../open.ts";
import { goJsonArray } from "../output/json-array.ts";
import { err, out } from "../output/print.ts";
import { compileTemplate } from "../template/execute.ts";

type Kind = "container" | "image" | "network" | "volume" | "any";

function inspectCommandFor(kind: Kind, name: string, usage: string, summary: string): Command {
  return {
    name,
    usage,
    summary,
    minArgs: 1,
    maxArgs: Infinity,
    interspersed: true,
    errorExitCode: 1,
    flags: [
      { long: "format", short: "f", kind: "string", help: INSPECT_FORMAT_HELP },
      {
        long: "size",
        short: "s",
        kind: "bool",
        help: "Display total file sizes if the type is container",
        hidden: kind === "image",
      },
      ...(kind === "any"
        ? [{ long: "type", kind: "string", help: "Only inspect objects of the given type" } as const]
        : []),
    ],
    run: (invocation) => inspect(kind, invocation),
  };
}

export const inspectCommand: Command = inspectCommandFor(
  "any",
  "inspect",
  "[OPTIONS] NAME|ID [NAME|ID...]",
  "Return low-level information on Docker objects",
);
export const containerInspectCommand: Command = inspectCommandFor(
  "container",
  "container inspect",
  "[OPTIONS] CONTAINER [CONTAINER...]",
  "Display detailed information on one or more containers",
);
export const imageInspectCommand: Command = inspectCommandFor(
  "image",
  "image inspect",
  "[OPTIONS] IMAGE [IMAGE...]",
  "Display detailed information on one or more images",
);

async function inspect(declared: Kind, { flags, args, global }: Invocation): Promise<number> {
  const read = readFlags(flags);
  const kind = kindOf(read.text("type"), declared);
  const format = read.text("format");
  const render = format === undefined || format === "json" ? undefined : compileTemplate(format);
  const engine = engineFor(global);
  const sized = read.bool("size");
  const found: InspectObject[] = [];
  const failures: string[] = [];
  for (const name of args) {
    try {
      found.push(await lookUp(engine, name, kind, sized));
    } catch (error) {
      if (!isLapError(error, "notFound")) throw error;
      failures.push(missText(kind, name, error));
    }
  }
  if (render !== undefined) printRendered(found, render);
  else if (format === "json") out(`${JSON.stringify(found)}\n`);
  else out(`${goJsonArray(found)}\n`);
  err(failures.map((text) => `${text}\n`).join(""));
  return failures.length === 0 ? 0 : 1;
}

function printRendered(found: readonly InspectObject[], render: (value: unknown) => string): void {
  try {
    for (const object of found) out(`${render(object)}\n`);
  } catch (error) {
    out("\n");
    throw error;
  }
}

function kindOf(type: string | undefined, declared: Kind): Kind {
  if (type === undefined || type === "") return declared;
  if (type === "container" || type === "image" || type === "network" || type === "volume") return type;
  throw new LapError(
    "invalidArgument",
    "ERR_LAP_FLAG_VALUE",
    `unknown type: "${type}": must be one of "container", "image", "network", "volume"`,
  );
}

async function lookUp(engine: Engine, name: string, kind: Kind, sized: boolean): Promise<InspectObject> {
  const order = kind === "any" ? (["container", "image", "network", "volume"] as const) : [kind];
  for (const [at, each] of order.entries()) {
    try {
      return await LOOK_UPS[each](engine, name, sized);
    } catch (error) {
      if (at === order.length - 1 || !isLapError(error, "notFound")) throw error;
    }
  }
  throw new Error("unreachable: the last look-up returns or throws");
}

const LOOK_UPS: Readonly<
  Record<Exclude<Kind, "any">, (engine: Engine, name: string, sized: boolean) => Promise<InspectObject> | InspectObject>
> = {
  container: (engine, name, sized) => inspectContainer(engine, engine.find(name), { sized }),
  image: inspectImage,
  network: inspectNetwork,
  volume: inspectVolume,
};

function missText(kind: Kind, name: string, error: LapError): string {
  if (kind === "any") return `Error: No such object: ${name}`;
  if (kind === "image") return `Error response from daemon: no such image: ${name}: ${error.message}`;
  return errorText(error);
}
