// What sized uppers leave on the machine (sandbox/sized-upper.ts): mounts in directories of containers that are not there any more,
// and loop devices of their images. loop(4), Documentation/ABI/testing/sysfs-block-loop.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { errorCode } from "@lapstrake/base";
import { unmountBeneath } from "@lapstrake/core";
import type { EngineContext } from "../context.ts";
import { namesIn } from "../state/names-in.ts";
import { isSettled, type Problem } from "./problem.ts";

const DELETED = " (deleted)";

/** Mounts of this store that no container has. */
export function mountProblems({ paths }: EngineContext, minAgeMs: number): Problem[] {
  const owners = [paths.containers, paths.trash].flatMap((parent) => {
    const dirs = mountedIn(realpathSync(parent), readFileSync("/proc/self/mountinfo", "utf8"));
    return dirs.filter((dir) => parent === paths.trash || !existsSync(join(dir, "record.json")));
  });
  return owners
    .filter((dir) => isSettled(dir, minAgeMs))
    .map((dir) => ({
      kind: "waste",
      subject: dir,
      text: "something is mounted in it, and no container has it",
      repair: () => unmountBeneath(dir),
    }));
}

/** Entries of `parent` in which something is mounted, each once; `mountinfo` is proc_pid_mountinfo(5). */
export function mountedIn(parent: string, mountinfo: string): string[] {
  const points = mountinfo.split("\n").map((line) => unescape(line.split(" ")[4] ?? ""));
  const names = points.flatMap((point) => (point.startsWith(`${parent}/`) ? point.slice(parent.length + 1) : []));
  return [...new Set(names.map((name) => join(parent, name.split("/", 1)[0]!)))];
}

/** Spaces and their like are octal there. */
function unescape(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8)));
}

/** Loop devices on images of this store whose container is gone. */
export function loopProblems({ paths }: EngineContext): Problem[] {
  const root = realpathSync(paths.root);
  return loopDevices().flatMap(({ device, image }): Problem[] => {
    if (!image.startsWith(`${root}/`) || isHeld(image)) return [];
    const text = `a loop device on ${image}, whose container is gone`;
    return [{ kind: "waste", subject: device, text, repair: () => detach(device) }];
  });
}

function isHeld(image: string): boolean {
  return !image.endsWith(DELETED) && existsSync(join(dirname(image), "record.json"));
}

function loopDevices(): { device: string; image: string }[] {
  return namesIn("/sys/block")
    .filter((name) => name.startsWith("loop"))
    .flatMap((name) => {
      const image = textOf(join("/sys/block", name, "loop/backing_file"));
      return image === undefined ? [] : [{ device: join("/dev", name), image }];
    });
}

/** It goes when its last mount is gone, wherever that is. */
function detach(device: string): void {
  execFileSync("losetup", ["-d", device], { stdio: ["ignore", "ignore", "pipe"] });
}

/** Undefined for a device without a file, or one that lost it meanwhile. */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trimEnd();
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENXIO") return undefined;
    throw error;
  }
}
