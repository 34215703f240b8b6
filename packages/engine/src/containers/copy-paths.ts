// The rules of docker cp about paths: what a trailing "/" or "/." says, and where a source goes when the destination is what it is
// (docs.docker.com, "docker container cp", Extended description). Pure.
import { posix } from "node:path";
import { LapError } from "@lapstrake/base";

/** Directory and last name; "." is kept when the path ends with it. */
export function splitEntry(path: string): { readonly dir: string; readonly base: string } {
  const clean = posix.normalize(path).replace(/(?<=.)\/+$/, "");
  if (!endsWithDot(path) || clean === ".") return { dir: posix.dirname(clean), base: posix.basename(clean) };
  return { dir: clean, base: "." };
}

function endsWithDot(path: string): boolean {
  return path === "." || path.endsWith("/.");
}

/** True when a path says that it is a directory. */
export function assertsDirectory(path: string): boolean {
  return path.endsWith("/") || endsWithDot(path);
}

/** A path of a container as absolute; what it asserts about its end is kept. */
export function absoluteInContainer(path: string): string {
  const clean = posix.join("/", path).replace(/(?<=.)\/+$/, "");
  if (endsWithDot(path)) return clean === "/" ? "/." : `${clean}/.`;
  return path.endsWith("/") && clean !== "/" ? `${clean}/` : clean;
}

/** Source and destination of a copy. */
export interface CopyEnd {
  readonly path: string;
  readonly exists: boolean;
  readonly isDir: boolean;
}

/** Where a source is put: under which name in which directory. */
export interface Placement {
  readonly dir: string;
  readonly name: string;
}

/** Throws `ERR_LAP_COPY` in docker's words. `sourceName` is the name the source's archive would have. */
export function placeCopy(source: CopyEnd, sourceName: string, target: CopyEnd): Placement {
  const { dir, base } = splitEntry(target.path);
  if (target.exists && target.isDir) return { dir: target.path, name: sourceName };
  if (target.exists && source.isDir) throw copyError("cannot copy directory");
  if (target.exists || source.isDir) return { dir, name: base };
  if (assertsDirectory(target.path)) throw copyError("no such directory");
  return { dir, name: base };
}

/** An error of the client in docker. */
export function copyError(message: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_COPY", message);
}
