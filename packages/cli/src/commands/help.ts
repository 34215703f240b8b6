// Help of `lap` itself and of its groups, in docker's layout: common, management, then everything else, each with one line.
import type { Command } from "../args/types.ts";

/** A line of the registry: a summary where the top help lists it. */
export interface Listed {
  readonly load: () => Promise<Command>;
  readonly summary?: string;
}

const COMMON = ["run", "exec", "ps", "build", "pull", "push", "images", "login", "logout", "search", "version", "info"];

/** What each group is for. */
export const GROUPS: Readonly<Record<string, string>> = {
  builder: "Manage builds",
  container: "Manage containers",
  context: "Manage contexts",
  image: "Manage images",
  network: "Manage networks",
  system: "Manage lapstrake",
  volume: "Manage volumes",
};

/** Further spellings, which group help leaves out. */
const SPELLINGS = new Set([
  "container list",
  "container ps",
  "container remove",
  "image list",
  "image remove",
  "context list",
]);
for (const group of ["network", "volume"]) for (const verb of ["list", "remove"]) SPELLINGS.add(`${group} ${verb}`);

/** Help of `lap`. */
export function topHelp(commands: ReadonlyMap<string, Listed>): string {
  const shown = [...commands].flatMap(([name, { summary }]) =>
    summary === undefined ? [] : [[name, summary] as const],
  );
  const common = COMMON.flatMap((name) => shown.filter(([each]) => each === name));
  const others = shown.filter(([name]) => !COMMON.includes(name)).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const groups = Object.entries(GROUPS).filter(([name]) => membersOf(commands, name).length > 0);
  return [
    "Usage:  lap [OPTIONS] COMMAND",
    "",
    "Containers without a daemon: Linux and WebAssembly programs on the same image layers",
    "",
    "Common Commands:",
    ...lines(common),
    "",
    "Management Commands:",
    ...lines(groups),
    "",
    "Commands:",
    ...lines(others),
    "",
    "Global Options:",
    "      --config string   Location of client config files (default",
    '                        "~/.docker")',
    "  -D, --debug           Show the stack of errors",
    "      --root string     Folder of the store",
    "      --storage-driver string",
    "                        Of new containers: overlay2 (the default), or vfs, a copy",
    "                        of the image by reflink where the filesystem can",
    "  -v, --version         Print version information and quit",
    "",
    "Run 'lap COMMAND --help' for more information on a command.",
    "",
  ].join("\n");
}

/** Help of a group; undefined for what is none. */
export async function groupHelp(commands: ReadonlyMap<string, Listed>, group: string): Promise<string | undefined> {
  const members = membersOf(commands, group);
  if (members.length === 0 || GROUPS[group] === undefined) return undefined;
  const rows = await Promise.all(
    members.map(async ([name, { load }]) => [name, (await load()).summary.split("\n", 1)[0]!] as const),
  );
  return [
    `Usage:  lap ${group} COMMAND`,
    "",
    GROUPS[group],
    "",
    "Commands:",
    ...lines(rows.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    "",
    `Run 'lap ${group} COMMAND --help' for more information on a command.`,
    "",
  ].join("\n");
}

/** Verbs of a group, without other spellings of them. */
export function membersOf(commands: ReadonlyMap<string, Listed>, group: string): [string, Listed][] {
  return [...commands]
    .filter(([name]) => name.startsWith(`${group} `) && !SPELLINGS.has(name))
    .map(([name, listed]) => [name.slice(group.length + 1), listed]);
}

function lines(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(11, ...rows.map(([name]) => name.length));
  return rows.map(([name, summary]) => `  ${name.padEnd(width)} ${summary}`);
}
