// Directories of the machine mounted as one, for `lap mount`: overlayfs by mount(2), in the caller's own mount namespace.
import { readFileSync, realpathSync } from "node:fs";
import { LapError, systemError, toByteString } from "@lapstrake/base";
import { parseMountInfo } from "../facts/mountinfo.ts";
import { kernelSyscalls } from "../sys/kernel.ts";

const UMOUNT_NOFOLLOW = 8;
const MAX_OPTIONS = 4095;
const SOURCE = "lapstrake-union";

/** Branches of a union, absolute paths. */
export interface UnionBranches {
  /** Top first; two at least without an upper. */
  readonly lowerdirs: readonly string[];
  /** Where changes go, on top of all. */
  readonly upperdir?: string;
  /** Empty, on the filesystem of the upper. */
  readonly workdir?: string;
}

/** Mounts the branches on `target`. Throws the kernel's error, `ERR_LAP_UNION_LONG` for more than its options can name. */
export function mountUnion({ lowerdirs, upperdir, workdir }: UnionBranches, target: string): void {
  const options = [
    `lowerdir=${lowerdirs.map((path) => escaped(path, /[\\:,]/g)).join(":")}`,
    ...(upperdir === undefined ? [] : [`upperdir=${escaped(upperdir, /[\\,]/g)}`]),
    ...(workdir === undefined ? [] : [`workdir=${escaped(workdir, /[\\,]/g)}`]),
  ].join(",");
  const bytes = toByteString(options);
  if (bytes.length > MAX_OPTIONS) {
    throw new LapError("invalidArgument", "ERR_LAP_UNION_LONG", "the branches' paths are too long for one mount", {
      hint: "use shorter paths, or mount unions of unions",
    });
  }
  const ret = kernelSyscalls().call("mount", SOURCE, toByteString(target), "overlay", 0, bytes);
  if (ret < 0) throw systemError(-ret, "mount", target);
}

/** A value of the options as the kernel shows them: octal escapes around overlay's own. */
function optionOf(options: string, name: string): string {
  const text = options.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
  const value = new RegExp(`(?:^|,)${name}=((?:\\\\.|[^,\\\\])*)`).exec(text)?.[1] ?? "";
  return value.replaceAll(/\\(.)/g, "$1");
}

function escaped(path: string, marks: RegExp): string {
  return path.replaceAll(marks, "\\$&");
}

/** Takes a union away; returns its work directory ("" for one without), undefined when `target` is none. Throws EBUSY while it is used. */
export function unmountUnion(target: string): string | undefined {
  const path = realpathSync(target);
  const mounts = parseMountInfo(readFileSync("/proc/self/mountinfo", "utf8"));
  const top = mounts.findLast(({ mountPoint }) => mountPoint === path);
  if (top?.source !== SOURCE) return undefined;
  const ret = kernelSyscalls().call("umount2", toByteString(path), UMOUNT_NOFOLLOW);
  if (ret < 0) throw systemError(-ret, "umount", path);
  return optionOf(top.superOptions, "workdir");
}
