// Programs: found by PATH in the guest's own filesystem and run through the port; files that are no programs are scripts.
import { errorCode, fromBytes, type ByteString } from "@lapstrake/base";
import { retain } from "../processes/objects.ts";
import { STATUS_NOT_EXECUTABLE, STATUS_NOT_FOUND } from "./control.ts";
import { scriptCommands } from "./parser.ts";
import { absolute, attributes, mustResolve, readWhole } from "./paths.ts";
import { Shell } from "./shell.ts";
import { ShellState } from "./state.ts";

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The file that `name` stands for, `.wasm` left out or not. Execute bits are not asked for: no WASI program can set them. */
export function findProgram(
  state: ShellState,
  name: ByteString,
): { path: ByteString; executable: boolean } | undefined {
  const folders = name.includes("/") ? [""] : (state.get("PATH") ?? DEFAULT_PATH).split(":");
  let refused: ByteString | undefined;
  for (const folder of folders) {
    const plain = absolute(state.cwd, name.includes("/") ? name : `${folder || "."}/${name}`);
    for (const path of [plain, `${plain}.wasm`]) {
      const found = attributes(state.fs, "/", path);
      if (found?.type === "file") return { path, executable: true };
      if (found !== undefined) refused ??= path;
    }
  }
  return refused === undefined ? undefined : { path: refused, executable: false };
}

/** Runs a program, or says as every shell why not: 127 not found, 126 not executable. */
export function runProgram(shell: Shell, args: readonly ByteString[]): number {
  const { state } = shell;
  const found = findProgram(state, args[0]!);
  if (found === undefined || !found.executable) {
    shell.complain(`${args[0]!}: ${found === undefined ? "not found" : "Permission denied"}`);
    return found === undefined ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
  }
  const { path } = found;
  try {
    return state.port.spawn({ path, argv: args, env: state.environment(), cwd: state.cwd, fds: state.fds });
  } catch (error) {
    if (errorCode(error) === "ENOEXEC") return runScript(shell, path, args);
    if (errorCode(error) === undefined || !/^E[A-Z0-9]+$/.test(errorCode(error)!)) throw error;
    shell.complain(`${args[0]!}: ${errorCode(error)!}`);
    return STATUS_NOT_EXECUTABLE;
  }
}

/** A text file: a shell of its own, with nothing of this one but environment and descriptors. */
function runScript(shell: Shell, path: ByteString, args: readonly ByteString[]): number {
  const parent = shell.state;
  const text = fromBytes(readWhole(parent.fs, mustResolve(parent.fs, "/", path)));
  if (text.slice(0, 512).includes("\0")) {
    shell.complain(`${args[0]!}: not a program of this sandbox`);
    return STATUS_NOT_EXECUTABLE;
  }
  const state = new ShellState(parent.port, path, args.slice(1), parent.cwd);
  importEnvironment(state, parent.environment());
  for (const [fd, object] of parent.fds) state.setFd(fd, retain(object));
  try {
    return new Shell(state).toEnd(scriptCommands(text));
  } finally {
    state.closeAll();
  }
}

/** Takes `NAME=value` strings as exported variables; names that are no identifiers are left out. */
export function importEnvironment(state: ShellState, env: readonly ByteString[]): void {
  for (const entry of env) {
    const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(entry) ?? [];
    if (name === undefined || value === undefined) continue;
    state.set(name, value);
    state.mark(name, "exported");
  }
}
