// One rolldown run: ES modules out, warnings are errors; and what a bundle loads at start.
import { dirname, join } from "node:path";
import { rolldown, type InputOptions, type OutputChunk, type OutputOptions, type Plugin } from "rolldown";

/** `new URL("./worker.ts", import.meta.url)` must name the built worker, which so becomes a chunk of its own. */
export const builtUrls: Plugin = {
  name: "built-urls",
  transform: {
    filter: { code: "import.meta.url" },
    handler(code, id) {
      const rewritten = code.replaceAll(
        /new URL\(\s*"(\.{1,2}\/[^"]+\.ts)",\s*import\.meta\.url,?\s*\)/g,
        (_match, path: string) => {
          const chunk = this.emitFile({ type: "chunk", id: join(dirname(id), path) });
          return `new URL(import.meta.ROLLUP_FILE_URL_${chunk})`;
        },
      );
      return rewritten === code ? null : { code: rewritten };
    },
  },
};

/** The same for a library whose files keep their places: only the ending changes. */
export const renamedUrls: Plugin = {
  name: "renamed-urls",
  transform: {
    filter: { code: "import.meta.url" },
    handler(code) {
      return { code: code.replaceAll(/(new URL\(\s*"\.{1,2}\/[^"]+)\.ts"(,\s*import\.meta\.url)/g, '$1.js"$2') };
    },
  },
};

/** Exports of a chunk as values: a getter for each costs a function at every start. A `let` keeps its getter, its value may change. */
export const plainExports: Plugin = {
  name: "plain-exports",
  renderChunk(code) {
    const changing = new Set([...code.matchAll(/^let (\w+)/gm)].map(([, name]) => name));
    return code.replaceAll(
      /^Object\.defineProperty\(exports, "(\w+)", \{\s*enumerable: true,\s*get: function \(\) \{\s*return (\w+);\s*\}\s*\}\);$/gm,
      (getter, name: string, value: string) => (changing.has(value) ? getter : `exports.${name} = ${value};`),
    );
  },
};

/** Builds and writes, the chunks written. Circular imports are errors: their load order is chance. */
export async function bundle(input: InputOptions, output: OutputOptions): Promise<OutputChunk[]> {
  const warnings: string[] = [];
  await using build = await rolldown({
    platform: "node",
    resolve: { conditionNames: ["@lapstrake/source", "node", "import", "default"] },
    onLog: (_level, log) => warnings.push(log.message),
    ...input,
  });
  const written = await build.write({ format: "esm", minify: false, ...output });
  if (warnings.length > 0) throw new Error(warnings.join("\n"));
  return written.output.filter((item) => item.type === "chunk");
}

/** File names reachable by static imports from one entry, and what they import from outside. */
export function staticClosure(chunks: readonly OutputChunk[], entry: string): Set<string> {
  const reached = new Set([entry]);
  for (const name of reached) {
    for (const next of chunks.find(({ fileName }) => fileName === name)?.imports ?? []) reached.add(next);
  }
  return reached;
}
