// The architecture rules: each a function from a map of files to the violations in it, so that a planted one is testable.
import { dirname, join } from "node:path/posix";
import { CONSTRUCTS, FENCES, HEAVY, MAX_LINES, NARROWER, ROOMS } from "./rooms.ts";
import { parseAll, parseSource, type Files, type Source } from "./source.ts";

const IN_PACKAGE = /^packages\/([^/]+)\//;
const WORKSPACE = /^@lapstrake\/([^/]+)(\/.*)?$/;

function isTest(path: string): boolean {
  return /\.test\.ts$|\/testing(?:\/|\.ts$)/.test(path) || path.startsWith("test/") || path.startsWith("bench/");
}

function allowedRooms(path: string, room: string): readonly string[] | undefined {
  return NARROWER.find((narrower) => narrower.path.test(path))?.rooms ?? ROOMS[room];
}

/** Rooms import only the rooms below them. */
export function importDirections(files: Files): string[] {
  return parseAll(files).flatMap((source) => {
    const room = IN_PACKAGE.exec(source.path)?.[1];
    if (room === undefined) return [];
    const allowed = allowedRooms(source.path, room);
    if (allowed === undefined) return [`${source.path}: room "${room}" is not in test/arch/rooms.ts`];
    const imported = source.imports.map(({ specifier }) => WORKSPACE.exec(specifier)?.[1]);
    const wrong = imported.filter((target) => target !== undefined && target !== room && !allowed.includes(target));
    return [...new Set(wrong)].map((target) => `${source.path}: may not import @lapstrake/${target}`);
  });
}

/** Costly or swappable dependencies are touched in one place each. */
export function fences(files: Files): string[] {
  return parseAll(files).flatMap((source) =>
    FENCES.filter(({ allowed, inTests }) => !allowed.test(source.path) && !(inTests && isTest(source.path))).flatMap(
      ({ what, module }) =>
        source.imports
          .filter(({ specifier, kind }) => kind !== "type" && module.test(specifier))
          .map(({ specifier }) => `${source.path}: imports "${specifier}" outside the fence of ${what}`),
    ),
  );
}

function exportsOf(files: Files, room: string): readonly string[] {
  const manifest = files.get(`packages/${room}/package.json`);
  if (manifest === undefined) return [];
  return Object.keys((JSON.parse(manifest) as { exports?: Record<string, unknown> }).exports ?? {});
}

/** A package is what its `exports` names; no path reaches behind it. */
export function deepImports(files: Files): string[] {
  return parseAll(files).flatMap((source) =>
    source.imports.flatMap(({ specifier }) => deepImport(files, source, specifier)),
  );
}

function deepImport(files: Files, source: Source, specifier: string): string[] {
  if (specifier.startsWith(".")) {
    const target = IN_PACKAGE.exec(join(dirname(source.path), specifier))?.[1];
    const own = IN_PACKAGE.exec(source.path)?.[1];
    return target === undefined || target === own
      ? []
      : [`${source.path}: reaches into packages/${target} by "${specifier}"`];
  }
  const [, room, subpath] = WORKSPACE.exec(specifier) ?? [];
  if (room === undefined || ROOMS[room] === undefined) return [];
  return exportsOf(files, room).includes(`.${subpath ?? ""}`)
    ? []
    : [`${source.path}: "${specifier}" is not an export`];
}

/** No default export, `export *` or enum anywhere; console and process.exit only in the command line. */
export function constructs(files: Files): string[] {
  return parseAll(files).flatMap((source) =>
    CONSTRUCTS.filter(({ construct, allowed }) => source.constructs.has(construct) && !allowed.test(source.path)).map(
      ({ construct }) => `${source.path}: ${construct}`,
    ),
  );
}

/** Every source file opens with a comment: what it is and where it stands. A test beside its subject is explained by it. */
export function headers(files: Files): string[] {
  return [...files]
    .filter(([path]) => /\.(?:ts|c|h|S)$/.test(path) && !/^packages\/.*\.test\.ts$/.test(path))
    .filter(([, text]) => !/^(?:#!.*\n)?\s*(?:\/\/|\/\*)/.test(text))
    .map(([path]) => `${path}: no comment at its head`);
}

/** Relative links of documents lead to files; `exists` answers for a path from the root. */
export function brokenLinks(documents: Files, exists: (path: string) => boolean): string[] {
  return [...documents].flatMap(([path, text]) =>
    [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map(([, target = ""]) => join(dirname(path), target))
      .filter((target) => !exists(target))
      .map((target) => `${path}: links to ${target}, which does not exist`),
  );
}

/** A file beyond the budget is several concerns. */
export function sizes(files: Files): string[] {
  return [...files]
    .filter(([path]) => /\.(?:ts|c|h|S)$/.test(path))
    .map(([path, text]) => [path, text.split("\n").length - 1] as const)
    .filter(([, lines]) => lines > MAX_LINES)
    .map(([path, lines]) => `${path}: ${lines} lines, at most ${MAX_LINES}`);
}

/** Run-time imports are declared by the package that makes them, or an installed package would miss them. */
export function declared(files: Files): string[] {
  return parseAll(files).flatMap((source) => {
    const room = IN_PACKAGE.exec(source.path)?.[1];
    const manifest = files.get(`packages/${room}/package.json`);
    if (manifest === undefined || isTest(source.path)) return [];
    const known = declaredNames(manifest);
    const wrong = source.imports
      .map(({ specifier }) => packageOf(specifier))
      .filter((name) => name !== undefined && !known.has(name));
    return [...new Set(wrong)].map((name) => `${source.path}: "${name}" is not in the package's dependencies`);
  });
}

function packageOf(specifier: string): string | undefined {
  if (/^(?:\.|node:|\/)/.test(specifier)) return undefined;
  return /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0];
}

function declaredNames(manifest: string): Set<string> {
  const fields = JSON.parse(manifest) as Record<string, Record<string, string> | string | undefined>;
  const lists = [fields["dependencies"], fields["optionalDependencies"], fields["peerDependencies"]];
  return new Set([fields["name"] as string, ...lists.flatMap((list) => Object.keys(list ?? {}))]);
}

function sourceOf(files: Files, from: string, specifier: string): string | undefined {
  if (specifier.startsWith(".")) return join(dirname(from), specifier);
  const [, room, subpath] = WORKSPACE.exec(specifier) ?? [];
  const manifest = files.get(`packages/${room}/package.json`);
  if (manifest === undefined) return undefined;
  const { exports } = JSON.parse(manifest) as { exports?: Record<string, Record<string, string>> };
  const source = exports?.[`.${subpath ?? ""}`]?.["@lapstrake/source"];
  return source === undefined ? undefined : join("packages", room ?? "", source);
}

/** Walks the static import graph of the given files; returns the chain that leads to each heavy dependency. */
export function importBudget(files: Files, roots: readonly string[]): string[] {
  const from = new Map<string, string | undefined>(
    roots.filter((root) => files.has(root)).map((root) => [root, undefined]),
  );
  const found: string[] = [];
  for (const path of from.keys()) {
    for (const { specifier, kind } of parseSource(path, files.get(path) ?? "").imports) {
      if (kind !== "static") continue;
      if (HEAVY.test(specifier)) found.push(`${chain(from, path)} > ${specifier}`);
      const next = sourceOf(files, path, specifier);
      if (next !== undefined && files.has(next) && !from.has(next)) from.set(next, path);
    }
  }
  return found;
}

function chain(from: ReadonlyMap<string, string | undefined>, path: string): string {
  const before = from.get(path);
  return before === undefined ? path : `${chain(from, before)} > ${path}`;
}
