// Reads a source file for the architecture rules: its imports, and the constructs the house forbids.
import { parseSync } from "rolldown/utils";

/** How an import binds: at load, at load but types only (erased), or when the line runs. */
export type ImportKind = "static" | "type" | "dynamic";

/** One import or re-export. */
export interface Import {
  readonly specifier: string;
  readonly kind: ImportKind;
}

/** What the rules look at in one file. */
export interface Source {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
  /** Forbidden constructs found: `default export`, `export *`, `enum`, `console`, `process.exit`. */
  readonly constructs: ReadonlySet<string>;
}

/** Files by path from the root of the clone, with forward slashes. */
export type Files = ReadonlyMap<string, string>;

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

function* walk(node: Node): Generator<Node> {
  yield node;
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) yield* walk(child);
  }
}

function text(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  const value = node["value"];
  return node.type === "Literal" && typeof value === "string" ? value : undefined;
}

function name(node: unknown): string | undefined {
  return isNode(node) && typeof node["name"] === "string" ? node["name"] : undefined;
}

/** `import { type A } from "x"` is erased whole too, under the compiler flags of this repository it is written `import type`. */
function importOf(node: Node): Import | undefined {
  const specifier = text(node["source"]) ?? text(node["argument"]);
  switch (node.type) {
    case "ImportDeclaration":
      return entry(specifier, node["importKind"] === "type" ? "type" : "static");
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
      return entry(specifier, node["exportKind"] === "type" ? "type" : "static");
    case "ImportExpression":
      return entry(specifier, "dynamic");
    case "TSImportType":
      return entry(specifier, "type");
    case "CallExpression":
      return requireOf(node);
    default:
      return undefined;
  }
}

function entry(specifier: string | undefined, kind: ImportKind): Import | undefined {
  return specifier === undefined ? undefined : { specifier, kind };
}

/** `require("x")`, `require.resolve("x")` and what `createRequire` returned under any name holding "require". */
function requireOf(node: Node): Import | undefined {
  const callee = node["callee"];
  const called = isNode(callee) && callee.type === "MemberExpression" ? callee["object"] : callee;
  if (!/require$/i.test(name(called) ?? "")) return undefined;
  const [first] = node["arguments"] as unknown[];
  return entry(text(first), "dynamic");
}

function constructOf(node: Node): string | undefined {
  if (node.type === "ExportDefaultDeclaration") return "default export";
  if (node.type === "ExportAllDeclaration") return "export *";
  if (node.type === "TSEnumDeclaration") return "enum";
  if (node.type !== "MemberExpression") return undefined;
  const object = name(node["object"]);
  if (object === "console") return "console";
  return object === "process" && name(node["property"]) === "exit" ? "process.exit" : undefined;
}

const parsed = new Map<string, Source>();

/** Parses one file; the same text is parsed once. Throws when it does not parse. */
export function parseSource(path: string, content: string): Source {
  const known = parsed.get(path);
  if (known?.text === content) return known;
  const { program, errors } = parseSync(path, content);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  const nodes = [...walk(program as unknown as Node)];
  const source: Source = {
    path,
    text: content,
    imports: nodes.map(importOf).filter((found) => found !== undefined),
    constructs: new Set(nodes.map(constructOf).filter((found) => found !== undefined)),
  };
  parsed.set(path, source);
  return source;
}

/** Every TypeScript file of the map, parsed. */
export function parseAll(files: Files): Source[] {
  return [...files].filter(([path]) => path.endsWith(".ts")).map(([path, content]) => parseSource(path, content));
}
