// Who notices that the keeper was killed: a shell that waits at the end of a pipe. The pipe closes with the keeper, however that ended,
// and the shell becomes the next one; a line in it says that the end was meant.
import { spawn } from "node:child_process";

/** `read` fails at the end of the pipe. A store that is gone is not made again. */
const SCRIPT = 'read -r _ || { [ -e "$0/layout.json" ] && exec "$@"; }';

/** Starts it; dispose tells it that the end is meant. */
export function startGuardian(root: string, keeperArgv: readonly string[]): Disposable {
  const child = spawn("/bin/sh", ["-c", SCRIPT, root, ...keeperArgv], {
    detached: true,
    cwd: "/",
    stdio: ["pipe", "inherit", "inherit"],
  });
  // Without a shell the keeper is not started again, which is all it loses.
  child.on("error", () => undefined);
  child.stdin.on("error", () => undefined);
  child.unref();
  return { [Symbol.dispose]: () => void child.stdin.end("done\n") };
}
