// `--change` of commit and import: Dockerfile instructions that only touch the config.
import { LapError, type ExecConfig } from "@lapstrake/base";

/** What Dockerfile instructions say as a config; CMD and ENTRYPOINT as JSON or for a shell. Throws `ERR_LAP_CHANGE`. */
export function imageChanges(lines: readonly string[]): ExecConfig {
  const of = (word: string): string[] =>
    lines.flatMap((line) =>
      line.trim().toUpperCase().startsWith(`${word} `)
        ? [
            line
              .trim()
              .slice(word.length + 1)
              .trim(),
          ]
        : [],
    );
  const [env, labels, ports, volumes] = [
    of("ENV").map(assignment),
    of("LABEL").map(assignment),
    of("EXPOSE"),
    of("VOLUME"),
  ];
  const rest = lines.filter((line) => !/^\s*(?:env|label|expose|volume)\s/i.test(line)).map(change);
  return Object.assign(
    {},
    env.length === 0 ? {} : { Env: env },
    labels.length === 0 ? {} : { Labels: Object.fromEntries(labels.map(pairOf)) },
    ports.length === 0
      ? {}
      : { ExposedPorts: keys(ports.flatMap(words).map((port) => (port.includes("/") ? port : `${port}/tcp`))) },
    volumes.length === 0 ? {} : { Volumes: keys(volumes.flatMap(words)) },
    ...rest,
  ) as ExecConfig;
}

/** `NAME=value` or `NAME value`, quotes taken off. */
function assignment(text: string): string {
  const at = text.search(/[=\s]/);
  if (at < 1) throw new LapError("invalidArgument", "ERR_LAP_CHANGE", `"${text}" is no NAME=value`);
  return `${text.slice(0, at)}=${text
    .slice(at + 1)
    .trim()
    .replace(/^(["'])(.*)\1$/s, "$2")}`;
}

function pairOf(line: string): [string, string] {
  const at = line.indexOf("=");
  return [line.slice(0, at), line.slice(at + 1)];
}

function words(text: string): string[] {
  return text.startsWith("[") ? program(text) : text.split(/\s+/);
}

function keys(names: readonly string[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}

const TEXTS: Readonly<Record<string, string>> = { USER: "User", WORKDIR: "WorkingDir", STOPSIGNAL: "StopSignal" };

function change(line: string): ExecConfig {
  const [, word = "", value = ""] = /^\s*(\w+)\s+(.*)$/s.exec(line) ?? [];
  const key = word.toUpperCase();
  if (key === "CMD") return { Cmd: program(value) };
  if (key === "ENTRYPOINT") return { Entrypoint: program(value) };
  const field = TEXTS[key];
  if (field !== undefined) return { [field]: value };
  const shown = key === "" ? line.trim() : key;
  throw new LapError("invalidArgument", "ERR_LAP_CHANGE", `${shown.toLowerCase()} is not a valid change command`, {
    hint: "CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME and WORKDIR are",
  });
}

function program(text: string): string[] {
  if (!text.startsWith("[")) return ["/bin/sh", "-c", text];
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value) && value.every((word) => typeof word === "string")) return value;
  } catch (cause) {
    throw new LapError("invalidArgument", "ERR_LAP_CHANGE", `"${text}" is no list of words`, { cause });
  }
  throw new LapError("invalidArgument", "ERR_LAP_CHANGE", `"${text}" is no list of words`);
}
