// Pathname expansion and pattern matching (POSIX Shell Command Language 2.13).
import { fromByteString, toByteString } from "@lapstrake/base";
import { resolvePath, type InodeFs } from "@lapstrake/layers";
import { joinPath } from "../process/programs.ts";

const MAGIC = /[*?[]/;
const BATCH = 256;

/** True when unquoted text asks for expansion. */
export function hasMagic(pattern: string): boolean {
  return MAGIC.test(pattern);
}

/** Regular expression source of a pattern; `\` quotes the next letter. */
export function patternSource(pattern: string): string {
  let out = "";
  for (let i = 0; i < pattern.length; i++) {
    const letter = pattern[i]!;
    const close = letter === "[" ? pattern.indexOf("]", i + 2) : -1;
    if (letter === "\\") {
      i += 1;
      out += quote(pattern[i] ?? "\\");
    } else if (letter === "*") out += "[^]*";
    else if (letter === "?") out += "[^]";
    else if (close > 0) {
      out += bracket(pattern.slice(i + 1, close));
      i = close;
    } else out += quote(letter);
  }
  return out;
}

function bracket(inside: string): string {
  const negated = inside.startsWith("!") || inside.startsWith("^");
  const body = (negated ? inside.slice(1) : inside).replaceAll(/[\\\]^]/g, String.raw`\$&`);
  return `[${negated ? "^" : ""}${body}]`;
}

function quote(letter: string): string {
  return letter.replaceAll(/[$()*+.?[\\\]^{|}/]/g, String.raw`\$&`);
}

/** Paths that match, in byte order; the pattern's own text when none does. `\` quotes. */
export function expandGlob(fs: InodeFs, cwd: string, pattern: string): string[] {
  const absolute = pattern.startsWith("/");
  let found = [absolute ? "/" : ""];
  for (const part of pattern.split("/").filter((piece) => piece !== "")) {
    found = found.flatMap((base) => matches(fs, cwd, base, part));
  }
  const usable = found.filter((path) => path !== "" && path !== "/");
  return usable.length > 0 ? usable : [pattern.replaceAll(/\\([^])/g, "$1")];
}

function matches(fs: InodeFs, cwd: string, base: string, part: string): string[] {
  const prefix = base === "" || base.endsWith("/") ? base : `${base}/`;
  const names = namesOf(fs, joinPath(cwd, base === "" ? "." : base));
  if (!hasMagic(part)) {
    const plain = part.replaceAll(/\\([^])/g, "$1");
    return names.includes(plain) || plain === "." || plain === ".." ? [prefix + plain] : [];
  }
  const test = new RegExp(`^${patternSource(part)}$`, "u");
  return names
    .filter((name) => (part.startsWith(".") || !name.startsWith(".")) && test.test(name))
    .map((name) => prefix + name);
}

function namesOf(fs: InodeFs, path: string): string[] {
  const found = resolvePath(fs, fs.root, toByteString(path));
  if (typeof found === "number" || found.ino === 0 || fs.getattr(found.ino).type !== "dir") return [];
  const handle = fs.opendir(found.ino);
  try {
    const names: string[] = [];
    for (let cookie = 0; ;) {
      const items = fs.readdir(handle, cookie, BATCH);
      names.push(...items.map(({ name }) => fromByteString(name)));
      if (items.length < BATCH) return names;
      cookie = items.at(-1)!.cookie;
    }
  } finally {
    fs.close(handle);
  }
}
