// box.fs.glob: names by pattern, as node:fs/promises has it. One directory is listed at a time; links are not followed.
import type { Dirent, NodeFs } from "@lapstrake/layers";
import { join, matchesGlob, resolve } from "node:path/posix";
import type { OpenFiles } from "./box-fs.ts";

/** Where to look, and what to leave out. */
export interface GlobOptions {
  /** Default "/". */
  readonly cwd?: string;
  /** Patterns, or a function of a path; what it leaves out is not looked into. */
  readonly exclude?: readonly string[] | ((path: string) => boolean);
}

interface Level {
  /** Relative to `cwd`; "" for it. */
  readonly at: string;
  /** What is left of each pattern. */
  readonly rests: readonly (readonly string[])[];
}

/** Paths relative to `cwd` that match; each once. */
export async function* globBox(
  open: OpenFiles,
  patterns: string | readonly string[],
  { cwd = "/", exclude = [] }: GlobOptions,
): AsyncGenerator<string, void, undefined> {
  const leftOut = typeof exclude === "function" ? exclude : (path: string) => exclude.some((p) => matchesGlob(path, p));
  const list = (typeof patterns === "string" ? [patterns] : patterns).flatMap(braces);
  const seen = new Set<string>();
  const todo: Level[] = [{ at: "", rests: list.map((pattern) => pattern.split("/").filter((part) => part !== "")) }];
  if (todo[0]!.rests.some((rest) => rest.length > 0 && rest.every((part) => part === "**"))) yield ".";
  for (let level = todo.shift(); level !== undefined; level = todo.shift()) {
    const { at } = level;
    const rests = level.rests.flatMap(expand);
    const entries = await open((fs) => listed(fs, resolve("/", cwd, at)));
    for (const entry of entries) {
      const path = at === "" ? entry.name : join(at, entry.name);
      const next = rests.filter(([first = ""]) => fits(entry.name, first)).map(after);
      if (next.length === 0 || leftOut(path)) continue;
      if (next.some((rest) => rest.every((part) => part === "**")) && !seen.has(path)) {
        seen.add(path);
        yield path;
      }
      const deeper = next.filter((rest) => rest.length > 0);
      if (entry.isDirectory() && deeper.length > 0) todo.push({ at: path, rests: deeper });
    }
  }
}

/** `**` stands for no directory too. */
function expand(rest: readonly string[]): (readonly string[])[] {
  return rest[0] === "**" && rest.length > 1 ? [rest, ...expand(rest.slice(1))] : [rest];
}

/** As shells have it, a wildcard is no leading dot. */
function fits(name: string, part: string): boolean {
  if (part === "**") return !name.startsWith(".");
  return name === part || matchesGlob(name, part);
}

function after(rest: readonly string[]): readonly string[] {
  return rest[0] === "**" ? rest : rest.slice(1);
}

/** Alternatives may have slashes in them. */
function braces(pattern: string): string[] {
  const found = /\{([^{}]*,[^{}]*)\}/.exec(pattern);
  if (found === null) return [pattern];
  const [whole, inside = ""] = found;
  const end = found.index + whole.length;
  return inside.split(",").flatMap((each) => braces(pattern.slice(0, found.index) + each + pattern.slice(end)));
}

function listed(fs: NodeFs, path: string): Dirent[] {
  try {
    return fs.readdirSync(path, { withFileTypes: true });
  } catch (error) {
    // Gone meanwhile, or never there: nothing matches.
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return [];
    throw error;
  }
}
