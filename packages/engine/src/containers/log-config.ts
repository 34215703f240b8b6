// `--log-driver` and `--log-opt`: which there are, what they take, and what the supervisor is told. Loaded for containers that choose.
import { existsSync } from "node:fs";
import { LapError, parseSize } from "@lapstrake/base";
import type { LogOptions } from "@lapstrake/core";

/** Where output goes. */
export interface LogRequest {
  /** `json-file` and `local` keep it in the container's directory, `none` keeps nothing. */
  readonly driver: string;
  /** `max-size`, `max-file`. */
  readonly options: Readonly<Record<string, string>>;
}

const JOURNAL = "/run/systemd/journal/socket";
/** Rotation of `local`, as docker has it. */
const LOCAL = { maxBytes: 20 * 1024 * 1024, maxFiles: 5 };
/** Options that ask for what happens anyway. */
const HARMLESS: Readonly<Record<string, string>> = { mode: "blocking", compress: "false" };

/** Throws `ERR_LAP_LOG_DRIVER`, `ERR_LAP_LOG_OPTION`. */
export function checkLog({ driver, options }: LogRequest): void {
  if (driver === "journald") throw noJournald();
  if (!["json-file", "local", "none"].includes(driver)) {
    const message = `error looking up logging plugin ${driver}: plugin "${driver}" not found`;
    throw new LapError("notFound", "ERR_LAP_LOG_DRIVER", message, {
      hint: "log drivers are json-file, local and none; ship the file's lines with a collector of your own",
    });
  }
  for (const [name, value] of Object.entries(options)) checkOption(driver, name, value);
}

function noJournald(): LapError {
  const message = "failed to initialize logging driver: journald is not enabled on this host";
  if (!existsSync(JOURNAL)) return new LapError("failedPrecondition", "ERR_LAP_LOG_DRIVER", message);
  return new LapError("unimplemented", "ERR_LAP_LOG_DRIVER", "the log driver journald is not supported yet", {
    hint: "use json-file, and: lap logs -f NAME | systemd-cat -t NAME",
  });
}

function checkOption(driver: string, name: string, value: string): void {
  if (driver === "none") throw unknown(driver, name);
  if (HARMLESS[name] === value) return;
  if (name === "max-size") return void bytes(value);
  if (name === "max-file") {
    if (!/^\d+$/.test(value)) throw wrong(`strconv.Atoi: parsing "${value}": invalid syntax`);
    if (Number(value) < 1) throw wrong("max-file cannot be less than 1");
    return;
  }
  if (["mode", "max-buffer-size", "compress", "labels", "labels-regex", "env", "env-regex", "tag"].includes(name)) {
    throw new LapError("unimplemented", "ERR_LAP_LOG_OPTION", `log opt '${name}=${value}' is not supported`, {
      hint: "logs take max-size and max-file",
    });
  }
  throw unknown(driver, name);
}

/** What the supervisor is told: null keeps no log. */
export function logOrders({ driver, options }: LogRequest, path: string): LogOptions | null {
  if (driver === "none") return null;
  const size = options["max-size"];
  const files = options["max-file"];
  // Who says how large says how many, or gets one, as in docker.
  const fallback = size === undefined ? LOCAL.maxFiles : 1;
  const maxFiles = files === undefined ? (driver === "local" ? LOCAL.maxFiles : fallback) : Number(files);
  return { path, maxBytes: size === undefined ? LOCAL.maxBytes : bytes(size), maxFiles };
}

/** -1 never rotates. */
function bytes(text: string): number {
  if (text === "-1") return 0;
  try {
    return parseSize(text);
  } catch (cause) {
    throw wrong(`invalid value for max-size: ${text}`, cause);
  }
}

function unknown(driver: string, name: string): LapError {
  return wrong(`unknown log opt '${name}' for ${driver} log driver`);
}

function wrong(message: string, cause?: unknown): LapError {
  return new LapError("invalidArgument", "ERR_LAP_LOG_OPTION", message, cause === undefined ? {} : { cause });
}
