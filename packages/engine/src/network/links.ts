// `--link NAME[:ALIAS]` on a user network: a name for another member that only the one who asks for it knows. Pure.
import { LapError } from "@lapstrake/base";

/** A link as people write it. */
export interface Link {
  /** Name, alias or short id of the other. */
  readonly target: string;
  readonly alias: string;
}

/** Reads one; throws `ERR_LAP_LINK` in docker's words. */
export function parseLink(text: string): Link {
  const parts = text.split(":");
  const [target = "", alias = target] = parts;
  if (parts.length <= 2 && target !== "" && alias !== "") return { target: bareName(target), alias: bareName(alias) };
  throw new LapError("invalidArgument", "ERR_LAP_LINK", `bad format for links: ${text}`);
}

/** Docker's own form has a slash before names. */
function bareName(name: string): string {
  return name.replace(/^\//, "");
}
