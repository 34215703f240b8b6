// Recorded docker commands: `$ docker …`, `--- stdout`, `--- stderr`, `--- exit N` -> cases that can be replayed, and the masks
// that make two recordings comparable. The recordings are not quoted: where an argument has blanks is known from its flag.

/** One recorded command. */
export interface Capture {
  /** As recorded, with `docker`. */
  readonly command: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** The cases of a recording in their order. Throws for a file that is none. */
export function parseCaptures(text: string): Capture[] {
  return text
    .split(/^\$ (?=\S)/m)
    .slice(1)
    .map((block) => {
      const match = /^(.*)\n--- stdout\n([\s\S]*?)--- stderr\n([\s\S]*?)--- exit (\d+)/.exec(block);
      if (match === null) throw new Error(`not a recorded command: ${block.slice(0, 80)}`);
      const [, command = "", stdout = "", stderr = "", exit = ""] = match;
      return { command, stdout, stderr, exitCode: Number(exit) };
    });
}

/** The arguments behind `docker`: what follows `sh -c` and `-c` is one, and so is a template up to its last brace. */
export function captureArgs(command: string): string[] {
  const words = command.split(" ");
  const args: string[] = [];
  for (let at = 1; at < words.length; at++) {
    const word = words[at]!;
    args.push(word);
    if (word === "-c") args.push(words.slice((at += 1)).join(" "));
    if (word === "-c") break;
    if ((word === "--format" || word === "-f") && words[at + 1]?.startsWith("{{") === true) {
      const last = words.findLastIndex((each) => each.endsWith("}}"));
      args.push(words.slice(at + 1, last + 1).join(" "));
      at = last;
    }
  }
  return args;
}

type Mask = readonly [RegExp, string];

/** What differs between two runs of one program: applied to both sides, in this order. */
const MASKS: readonly Mask[] = [
  [/\r$/gm, ""],
  [/\b[0-9a-f]{64}\b/g, "<id>"],
  [/\b[0-9a-f]{12}\b/g, "<id>"],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, "<time>"],
  [/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? \+0000 UTC/g, "<time>"],
  [/"time":\d+,"timeNano":\d+/g, '"time":<time>'],
  [/\b179\d{7}\b/g, "<time>"],
  [/(?:About an? \w+|Less than a second|\d+ (?:second|minute|hour)s?)/g, "<ago>"],
  [/\b\d+(?:\.\d+)?(?:[kKMGT]i?)?B\b/g, "<size>"],
  [/"(Size|VirtualSize|Pid)": \d+/g, '"$1": <number>'],
  [/\b\d+\.\d\d%/g, "<percent>"],
  [/(?<=[B>] )\(\d+%\)/g, "<percent>"],
  [/\bregistry-1\.docker\.io\b/g, "REGISTRY"],
  [/(?<=\s)\d\d:\d\d(?=\s)/g, "<clock>"],
  [/\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, "<mac>"],
  [/\b172\.\d+\.\d+\.\d+\b/g, "<address>"],
  [/from 0\.01 to \d+\.\d\d, as there are only \d+ CPUs/g, "from 0.01 to <cpus>"],
  [/lookup \S+ on \S+:53/g, "lookup <host> on <dns>"],
  [/(?:\/[\w.-]+)+\/(?:containers|overlay2|layers|volumes|netns|tmp)\/[^\s":]*/g, "<path>"],
  // ps: process ids and sizes of processes; stats: how many there are just now
  [/(?<=^root .*)\b\d{3,7}\b/gm, "<number>"],
  [/(?<=<size> {3,})\d+$/gm, "<count>"],
  [/ {3,}/g, "   "],
];

/** Text with everything masked that no two runs share. `own` are literal texts of this run, such as its work folder. */
export function masked(text: string, own: readonly Mask[] = []): string {
  return [...own, ...MASKS].reduce((out, [pattern, by]) => out.replace(pattern, by), text);
}

/** Recorded output with the command's own name for docker's. */
export function asLap(text: string): string {
  return text
    .replaceAll(/(^|['"]|unknown command: |Usage: {2})docker(?=[: ])/gm, "$1lap")
    .replaceAll(": docker ", ": lap ");
}
