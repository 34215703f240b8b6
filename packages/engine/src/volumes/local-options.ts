// Driver options of a volume: those of docker's local driver that make it stand for a folder of the machine. Others would mount a
// filesystem on the machine for as long as somebody uses it, which nobody here would be alive to undo: refused with what to do instead.
import { statSync } from "node:fs";
import { LapError, errorCode } from "@lapstrake/base";
import type { VolumeRecord } from "./volume-record.ts";

const KNOWN = new Set(["type", "o", "device", "size"]);

/** Checks driver and options of a volume to make. Throws `ERR_LAP_VOLUME_DRIVER`, `ERR_LAP_VOLUME_OPTION`. */
export function checkVolumeOptions(name: string, driver: string, options: VolumeRecord["options"]): void {
  if (driver !== "local") {
    const text = `create ${name}: error looking up volume plugin ${driver}: plugin "${driver}" not found`;
    throw new LapError("notFound", "ERR_LAP_VOLUME_DRIVER", text);
  }
  if (options === null || Object.keys(options).length === 0) return;
  const unknown = Object.keys(options).find((key) => !KNOWN.has(key));
  if (unknown !== undefined) throw optionError(name, `invalid option: "${unknown}"`);
  const { device, type = "none" } = options;
  if (device === undefined) throw optionError(name, `missing required option: "device"`);
  if (isBind(options) && (type === "none" || type === "bind") && options["size"] === undefined) return;
  throw optionError(
    name,
    `volumes of the type "${type}" are not supported`,
    "mount it on the machine and bind the folder with: -o type=none -o o=bind -o device=FOLDER",
  );
}

function isBind(options: Readonly<Record<string, string>>): boolean {
  const words = (options["o"] ?? "").split(",");
  return words.includes("bind") || words.includes("rbind");
}

/** The folder of the machine a volume stands for; undefined for one of the store's own. Throws when it is gone. */
export function deviceOf({ name, options }: VolumeRecord): string | undefined {
  const device = options?.["device"];
  if (device === undefined) return undefined;
  try {
    statSync(device);
    return device;
  } catch (cause) {
    const why = errorCode(cause) === "ENOENT" ? "no such file or directory" : String(errorCode(cause));
    const text = `failed to mount local volume: mount ${device}:${name}, flags: 0x1000: ${why}`;
    throw new LapError("failedPrecondition", "ERR_LAP_VOLUME_OPTION", text, { cause });
  }
}

/** True when the options make the mount read-only. */
export function isReadOnlyDevice({ options }: VolumeRecord): boolean {
  return (options?.["o"] ?? "").split(",").includes("ro");
}

function optionError(name: string, why: string, hint?: string): LapError {
  const details = hint === undefined ? {} : { hint };
  return new LapError("invalidArgument", "ERR_LAP_VOLUME_OPTION", `create ${name}: ${why}`, details);
}
