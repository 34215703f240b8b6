// `lap _complete SHELL -- WORDS… CURRENT`: the words that may stand where CURRENT is, one a line, with a description where the shell
// shows it. Names of containers and images come from the store; nothing is ever written to standard error.
import { listImages, listNetworks, listVolumes, type Engine } from "@lapstrake/engine";
import type { Command, Flag, GlobalOptions } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { out } from "../output/print.ts";
import { GROUPS, membersOf, type Listed } from "./help.ts";
import { commandTable } from "./registry.ts";

/** One word and what it is. */
export interface Candidate {
  readonly word: string;
  readonly about: string;
}

export const completeCommand: Command = {
  name: "_complete",
  usage: "SHELL -- WORDS",
  summary: "Words for the completion of a shell",
  minArgs: 1,
  maxArgs: Infinity,
  interspersed: false,
  errorExitCode: 1,
  flags: [],
  async run({ args: [shell = "", ...rest], global }) {
    const words = rest[0] === "--" ? rest.slice(1) : rest;
    const found = await candidates(words.slice(0, -1), words.at(-1) ?? "", global);
    out(found.map((each) => `${shownFor(shell, each)}\n`).join(""));
    return 0;
  },
};

function shownFor(shell: string, { word, about }: Candidate): string {
  if (shell === "fish" && about !== "") return `${word}\t${about}`;
  if (shell === "zsh") return `${word.replaceAll(":", "\\:")}${about === "" ? "" : `:${about}`}`;
  return word;
}

/** What may stand behind `before`, beginning with `current`. */
export async function candidates(
  before: readonly string[],
  current: string,
  global: GlobalOptions,
): Promise<Candidate[]> {
  const { words, store } = withoutGlobals(before, global);
  const table = commandTable();
  const group = words[0] !== undefined && GROUPS[words[0]] !== undefined ? words[0] : undefined;
  const name = words.slice(0, group === undefined ? 1 : 2).join(" ");
  const entry = table.get(name);
  const found =
    words.length < (group === undefined ? 1 : 2) || entry === undefined
      ? commandWords(table, group)
      : await argumentsOf(await entry.load(), words.slice(name.split(" ").length), current, store);
  return found.filter(({ word }) => word.startsWith(current));
}

/** `--root FOLDER` before the command names the store to look into. */
function withoutGlobals(
  before: readonly string[],
  global: GlobalOptions,
): { readonly words: readonly string[]; readonly store: GlobalOptions } {
  const words = [...before];
  let store = global;
  while (words[0]?.startsWith("-") === true) {
    const flag = words.shift()!;
    if (flag === "--root" || flag === "--config" || flag === "--storage-driver") {
      const value = words.shift();
      if (flag === "--root") store = { ...store, root: value };
    } else if (flag.startsWith("--root=")) store = { ...store, root: flag.slice("--root=".length) };
  }
  return { words, store };
}

function commandWords(table: ReadonlyMap<string, Listed>, group: string | undefined): Candidate[] {
  if (group !== undefined) return membersOf(table, group).map(([word]) => ({ word, about: "" }));
  const groups = Object.entries(GROUPS).map(([word, about]) => ({ word, about }));
  const own = [...table].flatMap(([word, { summary }]) => (summary === undefined ? [] : [{ word, about: summary }]));
  return [...own, ...groups];
}

async function argumentsOf(
  command: Command,
  given: readonly string[],
  current: string,
  global: GlobalOptions,
): Promise<Candidate[]> {
  const awaiting = flagBefore(command, given.at(-1));
  if (awaiting !== undefined) return VALUES[awaiting.long]?.(engineFor(global)) ?? [];
  if (current.startsWith("-")) return flagWords(command);
  const kind = KINDS[command.name.split(" ").at(-1) ?? ""] ?? KINDS[command.name];
  return kind === undefined ? [] : kind(engineFor(global), command.name);
}

/** The flag that waits for its value; undefined for none. */
function flagBefore(command: Command, word: string | undefined): Flag | undefined {
  if (word === undefined || !word.startsWith("-") || word.includes("=")) return undefined;
  const flag = command.flags.find(({ long, short }) => word === `--${long}` || word === `-${short}`);
  return flag?.kind === "bool" ? undefined : flag;
}

function flagWords({ flags }: Command): Candidate[] {
  return flags
    .filter(({ hidden, because }) => hidden !== true && because === undefined)
    .map(({ long, help }) => ({ word: `--${long}`, about: help.split("\n", 1)[0]! }));
}

type Source = (engine: Engine, command: string) => Candidate[] | Promise<Candidate[]>;

const containers =
  (states?: readonly string[]): Source =>
  (engine) =>
    engine
      .list()
      .filter(({ status }) => states?.includes(status.state) ?? true)
      .map(({ record }) => ({ word: record.name, about: record.image.name }));

const LOG_OPTIONS = [
  "max-size",
  "max-file",
  "compress",
  "labels",
  "labels-regex",
  "env",
  "env-regex",
  "tag",
  "mode",
  "max-buffer-size",
];
const RUNNING = ["running", "paused"];
const STOPPED = ["created", "exited", "dead"];

const images: Source = async (engine) =>
  (await listImages(engine)).flatMap(({ repository, tag }) =>
    repository === undefined || tag === undefined ? [] : [{ word: `${repository}:${tag}`, about: "" }],
  );
const networks: Source = (engine) => listNetworks(engine).map(({ name, driver }) => ({ word: name, about: driver }));
const volumes: Source = (engine) => listVolumes(engine).map(({ record }) => ({ word: record.name, about: "" }));

/** Objects of a group's verb, or containers. */
const byGroup: Source = (engine, command) => {
  const [group = ""] = command.split(" ");
  if (group === "image") return images(engine, command);
  if (group === "network") return networks(engine, command);
  return group === "volume" ? volumes(engine, command) : containers()(engine, command);
};

/** What the arguments of a verb are. */
const KINDS: Readonly<Record<string, Source>> = {
  run: images,
  create: images,
  push: images,
  rmi: images,
  save: images,
  tag: images,
  history: images,
  images,
  start: containers(STOPPED),
  attach: containers(RUNNING),
  exec: containers(RUNNING),
  kill: containers(RUNNING),
  pause: containers(["running"]),
  unpause: containers(["paused"]),
  stop: containers(RUNNING),
  top: containers(RUNNING),
  restart: containers(),
  rm: byGroup,
  remove: byGroup,
  inspect: byGroup,
  commit: containers(),
  cp: containers(),
  diff: containers(),
  export: containers(),
  logs: containers(),
  port: containers(),
  rename: containers(),
  stats: containers(RUNNING),
  update: containers(),
  wait: containers(RUNNING),
  connect: networks,
  disconnect: networks,
};

/** Values of flags that name objects or words. */
const VALUES: Readonly<Record<string, (engine: Engine) => Candidate[] | Promise<Candidate[]>>> = {
  network: (engine) => networks(engine, ""),
  net: (engine) => networks(engine, ""),
  "volumes-from": (engine) => containers()(engine, ""),
  pull: () => words("always", "missing", "never"),
  "log-driver": () => words("json-file", "local", "journald", "none"),
  "log-opt": () => words(...LOG_OPTIONS.map((name) => `${name}=`)),
  restart: () => words("no", "always", "on-failure", "unless-stopped"),
  type: () => words("container", "image", "network", "volume"),
  runtime: () => words("lapstrake", "wasm", "runc", "crun", "youki"),
  cgroupns: () => words("host", "private"),
};

function words(...list: readonly string[]): Candidate[] {
  return list.map((word) => ({ word, about: "" }));
}
