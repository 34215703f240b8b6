// Flags of run and create about a container's life: restart policy, health check, init, log.
import { LapError } from "@lapstrake/base";
import type { CreateRequest, HealthAction, HealthRequest, LogRequest, RestartPolicy } from "@lapstrake/engine";
import type { FlagReader } from "../args/parse.ts";
import type { Flag } from "../args/types.ts";

export const LIFE_FLAGS: readonly Flag[] = [
  { long: "health-cmd", kind: "string", help: "Command to run to check health" },
  { long: "health-interval", kind: "duration", help: "Time between running the check (ms|s|m|h) (default 0s)" },
  {
    long: "health-on-failure",
    kind: "string",
    valueName: "action",
    help: "What happens to an unhealthy container: none, kill, stop or restart (default none)",
  },
  { long: "health-retries", kind: "int", help: "Consecutive failures needed to report unhealthy" },
  {
    long: "health-start-interval",
    kind: "duration",
    help: "Time between running the check during the start period (ms|s|m|h) (default 0s)",
  },
  {
    long: "health-start-period",
    kind: "duration",
    help: "Start period for the container to initialize before starting health-retries countdown (ms|s|m|h) (default 0s)",
  },
  {
    long: "health-timeout",
    kind: "duration",
    help: "Maximum time to allow one check to run (ms|s|m|h) (default 0s)",
  },
  { long: "init", kind: "bool", help: "Run an init inside the container that forwards signals and reaps processes" },
  { long: "log-driver", kind: "string", help: "Logging driver for the container" },
  { long: "log-opt", kind: "list", help: "Log driver options" },
  { long: "no-healthcheck", kind: "bool", help: "Disable any container-specified HEALTHCHECK" },
  { long: "restart", kind: "string", help: 'Restart policy to apply when a container exits (default "no")' },
];

/** The fields of a request. Throws `ERR_LAP_CONFLICTING_OPTIONS` and `ERR_LAP_FLAG_VALUE` in docker's words. */
export function lifeRequest(read: FlagReader): {
  readonly [K in "restart" | "health" | "healthOnFailure" | "init" | "log"]: CreateRequest[K] | undefined;
} {
  const restart = restartPolicy(read.text("restart"));
  if (restart !== undefined && restart.name !== "no" && read.bool("rm")) {
    throw conflict("conflicting options: cannot specify both --restart and --rm");
  }
  return {
    restart,
    health: health(read),
    healthOnFailure: read.text("health-on-failure") as HealthAction | undefined,
    init: read.bool("init") ? true : undefined,
    log: logRequest(read),
  };
}

function logRequest(read: FlagReader): LogRequest | undefined {
  if (!read.has("log-driver") && !read.has("log-opt")) return undefined;
  const driver = read.text("log-driver") ?? "";
  const options = read.list("log-opt").map((text): [string, string] => {
    const at = text.indexOf("=");
    return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  });
  return { driver: driver === "" ? "json-file" : driver, options: Object.fromEntries(options) };
}

/** `on-failure:3`; the engine says what is wrong with a name. */
export function restartPolicy(text: string | undefined): RestartPolicy | undefined {
  if (text === undefined || text === "") return undefined;
  const [name = "", count, ...more] = text.split(":");
  if (more.length > 0) throw conflict("invalid restart policy format: more than one colon");
  if (count !== undefined && name === "")
    throw conflict("invalid restart policy format: no policy provided before colon");
  if (count !== undefined && !/^-?\d+$/.test(count)) {
    throw conflict("invalid restart policy format: maximum retry count must be an integer");
  }
  return { name: name as RestartPolicy["name"], maximumRetryCount: Number(count ?? 0) };
}

function health(read: FlagReader): HealthRequest | undefined {
  const fields = {
    test: read.text("health-cmd"),
    intervalMs: read.number("health-interval"),
    timeoutMs: read.number("health-timeout"),
    startPeriodMs: read.number("health-start-period"),
    startIntervalMs: read.number("health-start-interval"),
    retries: read.number("health-retries"),
  };
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  if (read.bool("no-healthcheck")) {
    if (given.length > 0) throw conflict("--no-healthcheck conflicts with --health-* options");
    return { test: ["NONE"] };
  }
  if (given.length === 0) return undefined;
  const { test, ...times } = Object.fromEntries(given) as Omit<HealthRequest, "test"> & { readonly test?: string };
  return test === undefined || test === "" ? times : { ...times, test: ["CMD-SHELL", test] };
}

function conflict(message: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_CONFLICTING_OPTIONS", message);
}
