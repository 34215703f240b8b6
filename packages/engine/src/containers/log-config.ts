// `--log-driver` and `--log-opt`: which there are, what they take, and what the supervisor is told. Loaded for containers that choose.
import { LapError, parseSize } from "@lapstrake/base";
import type { LogOptions } from "@lapstrake/core";
import { checkTag, logAttributes, logPattern, logTag } from "../logs/attributes.ts";
import { requireJournal } from "../logs/journal.ts";
import type { ContainerRecord } from "../state/record.ts";

/** Where output goes. */
export interface LogRequest {
  /** `json-file` and `local` keep it in the container's directory, `journald` hands it to the journal, `none` keeps nothing. */
  readonly driver: string;
  /** `max-size`, `max-file`, `compress`, `labels`, `labels-regex`, `env`, `env-regex`, `tag`, `mode`, `max-buffer-size`. */
  readonly options: Readonly<Record<string, string>>;
}

/** Rotation unless told otherwise: docker's of `local`. */
const ROTATION = { maxBytes: 20 * 1024 * 1024, maxFiles: 5 };
/** What waits for the journal while it is away; two files, the older goes when both are full. */
const SPOOL = { maxBytes: 32 * 1024 * 1024, maxFiles: 2 };
/** Docker's `max-buffer-size`. */
const BUFFER_BYTES = 1024 * 1024;

const ABOUT_LINES = ["labels", "labels-regex", "env", "env-regex", "tag"];
const ABOUT_FILES = ["max-size", "max-file", "compress"];
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  "json-file": [...ABOUT_FILES, ...ABOUT_LINES],
  local: [...ABOUT_FILES, ...ABOUT_LINES],
  journald: ABOUT_LINES,
};

/** Throws `ERR_LAP_LOG_DRIVER`, `ERR_LAP_LOG_OPTION`. */
export function checkLog(request: LogRequest): void {
  const { driver, options } = request;
  if (driver === "none") {
    if (Object.keys(options).length > 0) throw wrong("invalid logging opts for driver none");
    return;
  }
  checkMode(options);
  const known = OPTIONS[driver];
  if (known === undefined) {
    throw new LapError("notFound", "ERR_LAP_LOG_DRIVER", `logger: no log driver named '${driver}' is registered`, {
      hint: "log drivers are json-file, local, journald and none; ship the lines of a file with a collector of your own",
    });
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name) && !MODE.includes(name));
  if (unknown !== undefined) throw wrong(unknownText(driver, unknown));
  for (const name of ["labels-regex", "env-regex"]) logPattern(options[name] ?? "");
  checkTag(options["tag"] ?? "");
  checkFiles(request);
}

const MODE = ["mode", "max-buffer-size"];

function checkMode({ mode = "", "max-buffer-size": buffer }: LogRequest["options"]): void {
  if (!["", "blocking", "non-blocking"].includes(mode)) throw wrong(`logger: logging mode not supported: ${mode}`);
  if (buffer === undefined) return;
  if (mode !== "non-blocking") {
    throw wrong("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
  }
  try {
    parseSize(buffer);
  } catch (cause) {
    throw wrong(`error parsing option max-buffer-size: invalid size: '${buffer}'`, cause);
  }
}

function unknownText(driver: string, name: string): string {
  return driver === "local"
    ? `unknown log opt '${name}' for log driver local`
    : `unknown log opt '${name}' for ${driver} log driver`;
}

function checkFiles(request: LogRequest): void {
  const { driver, options } = request;
  const { "max-file": files, "max-size": size } = options;
  if (size !== undefined) bytes(size);
  if (files !== undefined && !/^-?\d+$/.test(files)) throw wrong(`strconv.Atoi: parsing "${files}": invalid syntax`);
  if (files !== undefined && Number(files) < 1) throw wrong("max-file cannot be less than 1");
  const compresses = asksCompression(options) === true;
  if (driver !== "json-file" || !compresses) return;
  if (files === undefined || Number(files) < 2 || size === undefined || size === "-1") {
    throw wrong("compress cannot be true when max-file is less than 2 or max-size is not set");
  }
}

function asksCompression({ compress }: LogRequest["options"]): boolean | undefined {
  if (compress === undefined) return undefined;
  if (/^(?:1|t|T|true|TRUE|True)$/.test(compress)) return true;
  if (/^(?:0|f|F|false|FALSE|False)$/.test(compress)) return false;
  throw wrong(`strconv.ParseBool: parsing "${compress}": invalid syntax`);
}

/** True when full files are to be compressed, which is the keeper's. */
export function compressesLog({ driver, options }: LogRequest): boolean {
  return asksCompression(options) ?? driver === "local";
}

/** What the supervisor is told: null keeps no log. Throws `ERR_LAP_LOG_DRIVER` where there is no journal. */
export function logOrders(record: ContainerRecord, request: LogRequest, path: string): LogOptions | null {
  const { driver, options } = request;
  if (driver === "none") return null;
  const buffer = options["mode"] === "non-blocking" ? parseSize(options["max-buffer-size"] ?? `${BUFFER_BYTES}`) : 0;
  if (driver === "journald") {
    requireJournal();
    // What the program writes goes to the spool, which waits for nobody.
    return { path, ...SPOOL, ...(buffer > 0 ? { maxBytes: Math.max(buffer, BUFFER_BYTES) } : {}) };
  }
  return { path, ...rotation(request), ...attrs(record, request), ...(buffer > 0 ? { bufferBytes: buffer } : {}) };
}

function rotation({ driver, options }: LogRequest): Pick<LogOptions, "maxBytes" | "maxFiles"> {
  const { "max-file": files, "max-size": size } = options;
  // Who says how large says how many, or gets one, as in docker.
  const fallback = size === undefined || driver === "local" ? ROTATION.maxFiles : 1;
  return {
    maxBytes: size === undefined ? ROTATION.maxBytes : bytes(size),
    maxFiles: files === undefined ? fallback : Number(files),
  };
}

function attrs(record: ContainerRecord, request: LogRequest): Pick<LogOptions, "attrs"> {
  const tag = logTag(record, request.options["tag"] ?? "");
  const all = Object.entries({ ...logAttributes(record, request), ...(tag === "" ? {} : { tag }) });
  if (all.length === 0) return {};
  return { attrs: JSON.stringify(Object.fromEntries(all.toSorted(([a], [b]) => (a < b ? -1 : 1)))) };
}

const DECIMAL = ["", "k", "m", "g", "t", "p"];

/** Docker counts these in thousands. 0 never rotates, which is asked for by -1. */
function bytes(text: string): number {
  if (text === "-1") return 0;
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text.trim()) ?? [];
  const value = Math.trunc(Number(number) * 1000 ** DECIMAL.indexOf(unit.toLowerCase()));
  if (Number.isNaN(value)) throw wrong(`invalid size: '${text}'`);
  if (value <= 0) throw wrong("max-size must be a positive number");
  return value;
}

function wrong(message: string, cause?: unknown): LapError {
  return new LapError("invalidArgument", "ERR_LAP_LOG_OPTION", message, cause === undefined ? {} : { cause });
}
