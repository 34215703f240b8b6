// `lap exec`.
import { LapError } from "@lapstrake/base";
import { execContainer, type ExecRequest } from "@lapstrake/engine";
import { checkVariable } from "../args/checks.ts";
import { readFlags } from "../args/parse.ts";
import type { Command, Invocation } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { err, out } from "../output/print.ts";
import { connectStreams } from "../terminal/streams.ts";
import { environment } from "./run-flags.ts";

export const execCommand: Command = {
  name: "exec",
  usage: "[OPTIONS] CONTAINER COMMAND [ARG...]",
  summary: "Execute a command in a running container",
  aliases: ["lap container exec", "lap exec"],
  minArgs: 2,
  maxArgs: Infinity,
  interspersed: false,
  errorExitCode: 1,
  flags: [
    { long: "detach", short: "d", kind: "bool", help: "Detached mode: run command in the background" },
    { long: "detach-keys", kind: "string", help: "Override the key sequence for detaching a container" },
    { long: "env", short: "e", kind: "list", help: "Set environment variables", check: checkVariable },
    { long: "env-file", kind: "list", help: "Read in a file of environment variables" },
    { long: "interactive", short: "i", kind: "bool", help: "Keep STDIN open even if not attached" },
    { long: "privileged", kind: "bool", help: "Give extended privileges to the command" },
    { long: "tty", short: "t", kind: "bool", help: "Allocate a pseudo-TTY" },
    { long: "user", short: "u", kind: "string", help: "Username or UID (format: <name|uid>[:<group|gid>])" },
    { long: "workdir", short: "w", kind: "string", help: "Working directory inside the container" },
  ],
  run: exec,
};

/** Exit codes of a program that could not be started. */
const EXEC_EXIT: Readonly<Record<string, number>> = {
  ERR_LAP_EXEC_NOT_FOUND: 127,
  ERR_LAP_EXEC_PERMISSION: 126,
  ERR_LAP_USER_UNKNOWN: 126,
};
/** Exit code of a process that could not be set up. */
const CANNOT_START = 126;
const EXEC_FAILED = "OCI runtime exec failed: exec failed: unable to start container process: ";

async function exec({ flags, args, global }: Invocation): Promise<number> {
  const read = readFlags(flags);
  const [target, ...command] = args as [string, ...string[]];
  const tty = read.bool("tty");
  const stdin = read.bool("interactive") && !read.bool("detach");
  if (tty && stdin && !process.stdin.isTTY) {
    throw new LapError("invalidArgument", "ERR_LAP_NOT_A_TTY", "the input device is not a TTY");
  }
  const engine = engineFor(global);
  const record = engine.find(target);
  const user = read.text("user");
  const workdir = read.text("workdir");
  const { rows, columns } = process.stdout;
  const request: ExecRequest = {
    args: command,
    env: environment(read),
    tty,
    openStdin: stdin,
    privileged: read.bool("privileged"),
    detach: read.bool("detach"),
    ...(user === undefined ? {} : { user }),
    ...(workdir === undefined ? {} : { workdir }),
    ...(process.stdout.isTTY ? { ttySize: { rows, cols: columns } } : {}),
  };
  try {
    using running = await execContainer(engine, record, request);
    const { attachment } = running.launched;
    if (attachment === undefined) return 0;
    const outcome = await connectStreams(attachment, tty, {
      stdin,
      detachKeys: read.text("detach-keys"),
      sigProxy: false,
    });
    if (outcome.kind === "detached") {
      running.detached();
      err("read escape sequence\n");
      return 1;
    }
    return outcome.status.exitCode;
  } catch (error) {
    return startFailure(error, workdir, read.bool("detach"));
  }
}

/** Docker's engine writes why a program did not start into the program's own output. */
function startFailure(error: unknown, workdir: string | undefined, detach: boolean): number {
  if (!(error instanceof LapError)) throw error;
  const isNoWorkdir = error.detail?.["op"] === "chdir" && error.detail["errno"] === "ENOENT";
  const code = isNoWorkdir ? CANNOT_START : EXEC_EXIT[error.code];
  if (code === undefined) throw error;
  const why = isNoWorkdir
    ? `chdir to cwd ("${workdir ?? ""}") set in config.json failed: no such file or directory`
    : error.message;
  const text = error.code === "ERR_LAP_USER_UNKNOWN" ? why : `${EXEC_FAILED}${why}: unknown`;
  if (detach) err(`Error response from daemon: ${text}\n`);
  else out(`${text}\r\n`);
  return code;
}
