// What every line of a log says besides itself, when its container's --log-opt asks for it: labels, variables, a tag (docker's
// labels, labels-regex, env, env-regex and tag).
import { hostname } from "node:os";
import { LapError } from "@lapstrake/base";
import type { LogRequest } from "../containers/log-config.ts";
import type { ContainerRecord } from "../state/record.ts";

const SHORT = 12;

type Attributes = Readonly<Record<string, string>>;

/** Labels and variables that are asked for; `rename` makes a name one that the driver can have. */
export function logAttributes(
  record: ContainerRecord,
  { options }: LogRequest,
  rename: (name: string) => string = (name) => name,
): Attributes {
  const labels = { ...record.image.labels, ...record.request.labels };
  const chosen = {
    ...matching(labels, options["labels"], options["labels-regex"]),
    ...matching(variables(record.process.env), options["env"], options["env-regex"]),
  };
  return Object.fromEntries(Object.entries(chosen).map(([name, value]) => [rename(name), value]));
}

function variables(env: readonly string[]): Attributes {
  return Object.fromEntries(
    env.flatMap((line) => {
      const at = line.indexOf("=");
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1)]];
    }),
  );
}

function matching(all: Attributes, names = "", pattern = ""): Attributes {
  const wanted = new Set(names.split(","));
  const expression = pattern === "" ? undefined : logPattern(pattern);
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => wanted.has(name) || expression?.test(name) === true),
  );
}

/** Throws `ERR_LAP_LOG_OPTION` for what is no regular expression. */
export function logPattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new LapError("invalidArgument", "ERR_LAP_LOG_OPTION", `error parsing regexp: \`${text}\``, { cause });
  }
}

type Field = (record: ContainerRecord) => string;

/** What a tag can name, as docker has it. */
const FIELDS: Readonly<Record<string, Field>> = {
  ID: ({ id }) => id.slice(0, SHORT),
  FullID: ({ id }) => id,
  Name: ({ name }) => name,
  ImageID: ({ image }) => (image.id ?? image.name).slice(0, SHORT),
  ImageFullID: ({ image }) => image.id ?? image.name,
  ImageName: ({ image }) => image.name,
  DaemonName: () => "lap",
  Hostname: () => hostname(),
  Command: ({ process: { args } }) => args.join(" "),
};

/** Throws `ERR_LAP_LOG_OPTION` for a tag that names what there is not. */
export function checkTag(template: string): void {
  for (const [action, name = ""] of template.matchAll(ACTION)) {
    if (Object.hasOwn(FIELDS, name)) continue;
    throw new LapError("invalidArgument", "ERR_LAP_LOG_OPTION", `a tag cannot have ${action}`, {
      hint: `it can have ${Object.keys(FIELDS)
        .map((field) => `{{.${field}}}`)
        .join(" ")}`,
    });
  }
}

const ACTION = /\{\{(?:\s*\.(\w+)\s*\}\}|.*?(?:\}\}|$))/gs;

/** The tag of a container. */
export function logTag(record: ContainerRecord, template: string): string {
  return template.replaceAll(ACTION, (_, name: string) => FIELDS[name]!(record));
}
