// Built-in modules that cost a millisecond or more to load are required where the bundle uses them, not where it begins:
// `lap ps` needs no hashes. The bundler writes `let node_x = require("node:x")` and `node_x.name`; docs/adr/0022.
import type { Plugin } from "rolldown";

/** Costly built-ins that only some commands use. */
const COSTLY: readonly string[] = [
  "node:child_process",
  "node:crypto",
  "node:dgram",
  "node:net",
  "node:timers/promises",
  "node:zlib",
];

/** Rewrites CommonJS code as rolldown prints it; a module that is used as a whole value stays as it is. */
export function requireLate(code: string): string {
  return COSTLY.reduce(requireOneLate, code);
}

function requireOneLate(code: string, module: string): string {
  const declaration = new RegExp(
    `^let (\\w+) = require\\("${module}"\\);\\n(?:\\1 = \\w+\\.__toESM\\(\\1, 1\\);\\n)?`,
    "m",
  );
  const [whole, name] = declaration.exec(code) ?? [];
  if (whole === undefined || name === undefined) return code;
  const rest = code.replace(whole, "");
  const used = new RegExp(`\\b${name}\\.(default\\.)?(?=\\w)`, "g");
  const rewritten = rest.replaceAll(used, `require("${module}").`);
  return new RegExp(`\\b${name}\\b`).test(rewritten) ? code : rewritten;
}

/** {@link requireLate} for every chunk. */
export const lazyBuiltins: Plugin = {
  name: "lazy-builtins",
  renderChunk: (code) => {
    const rewritten = requireLate(code);
    return rewritten === code ? null : { code: rewritten };
  },
};
