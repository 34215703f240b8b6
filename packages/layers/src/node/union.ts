// `union(["./fruits", "./vegetables"])`: folders of this machine as one, as the introductory texts show it.
import { LapError } from "@lapstrake/base";
import { unionOf, type BranchUnion } from "../branches/branch-union.ts";
import type { Branch, BranchMode } from "../branches/branch-view.ts";
import { openNodeDir } from "./dirfs.ts";

const MODES: ReadonlySet<string> = new Set<BranchMode>(["rw", "ro", "rr", "ro+wh"]);

/** A union of folders, the first on top: `path` or `path=rw|ro|rr|ro+wh`; the first is writable, the others are not, unless told. */
export function union(folders: readonly string[]): BranchUnion {
  return unionOf(folders.map(openBranch));
}

function openBranch(folder: string, index: number): Branch {
  const equals = folder.lastIndexOf("=");
  const mode = equals < 0 ? (index === 0 ? "rw" : "ro") : folder.slice(equals + 1);
  if (!MODES.has(mode)) {
    throw new LapError("invalidArgument", "ERR_LAP_BRANCH_MODE", `invalid branch mode "${mode}" in "${folder}"`, {
      hint: "a branch is a folder, or a folder with =rw, =ro, =rr or =ro+wh",
    });
  }
  return { dir: openNodeDir(equals < 0 ? folder : folder.slice(0, equals)), mode: mode as BranchMode };
}
