// -v source:target[:options] and --tmpfs target[:options] as mounts of the runtime specification (config.md "Mounts").
import { mkdirSync, statSync } from "node:fs";
import { LapError, errorCode, type MountSpec } from "@lapstrake/base";

const PROPAGATION = new Set(["private", "rprivate", "shared", "rshared", "slave", "rslave"]);
const IGNORED = new Set(["z", "Z", "cached", "delegated", "consistent"]);

/** Mounts of `[source:]target[:options]`. Throws `ERR_LAP_MOUNT_INVALID`. */
export function bindMount(text: string): MountSpec {
  const parts = text.split(":");
  const [source, target, options = ""] = parts as [string, string?, string?];
  if (parts.length > 3 || target === undefined || !target.startsWith("/") || target === "/") throw invalidMount(text);
  if (!source.startsWith("/")) {
    throw new LapError("unimplemented", "ERR_LAP_VOLUMES", `named volumes are not supported yet: "${text}"`, {
      hint: "bind a folder of this machine by its absolute path",
    });
  }
  ensureSource(source);
  return { destination: target, type: "bind", source, options: bindOptions(options, text) };
}

function bindOptions(text: string, whole: string): string[] {
  const out = ["rbind"];
  let propagation = "rprivate";
  for (const word of text === "" ? [] : text.split(",")) {
    if (word === "ro") out.push("rro");
    else if (PROPAGATION.has(word)) propagation = word;
    else if (word !== "rw" && !IGNORED.has(word)) throw invalidMount(whole);
  }
  return [...out, propagation];
}

/** As docker: a missing source of -v becomes a directory. */
function ensureSource(source: string): void {
  try {
    statSync(source);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    mkdirSync(source, { recursive: true, mode: 0o755 });
  }
}

/** A tmpfs with Docker's default options; `options` as in mount(8), comma separated. */
export function tmpfsMount(target: string, options: string): MountSpec {
  if (!target.startsWith("/")) throw invalidMount(target);
  const extra = options === "" ? [] : options.split(",");
  return { destination: target, type: "tmpfs", source: "tmpfs", options: ["noexec", "nosuid", "nodev", ...extra] };
}

function invalidMount(text: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_MOUNT_INVALID", `invalid volume specification: '${text}'`, {
    hint: "write /folder/here:/folder/inside, with :ro behind it for read-only",
  });
}
