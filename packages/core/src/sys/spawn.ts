// Starting the helper: posix_spawn(3) through koffi. It does not copy page tables, so its cost does not grow with Node's
// heap (child_process forks: 40 ms with 300 MB), and libuv never waits for the child.
import { ERRNO, systemError, toByteString } from "@lapstrake/base";
import { koffi, type NativeFunction } from "./koffi.ts";
import { kernelSyscalls } from "./kernel.ts";

// Larger than any libc's posix_spawn_file_actions_t (glibc: 80 bytes).
const ACTIONS_BYTES = 512;
const F_DUPFD_CLOEXEC = 1030;
const WNOHANG = 1;
const WEXITED = 4;
const P_PID = 1;

interface SpawnFunctions {
  readonly spawn: NativeFunction;
  readonly actionsInit: NativeFunction;
  readonly addDup2: NativeFunction;
  readonly addOpen: NativeFunction;
  readonly actionsDestroy: NativeFunction;
}

let functions: SpawnFunctions | undefined;

function load(): SpawnFunctions {
  const libc = koffi().load(null);
  return {
    spawn: libc.func("int posix_spawn(long pid, long path, long actions, long attr, long argv, long envp)"),
    actionsInit: libc.func("int posix_spawn_file_actions_init(long actions)"),
    addDup2: libc.func("int posix_spawn_file_actions_adddup2(long actions, int fd, int as)"),
    addOpen: libc.func(
      "int posix_spawn_file_actions_addopen(long actions, int fd, const char *path, int flags, int mode)",
    ),
    actionsDestroy: libc.func("int posix_spawn_file_actions_destroy(long actions)"),
  };
}

/** C strings and a NULL-terminated array of pointers to them, in one block that must outlive the call. */
function stringArray(list: readonly string[]): { block: Buffer; arrayAt: number } {
  const encoded = list.map((text) => Buffer.from(`${toByteString(text)}\0`, "latin1"));
  const pointerBytes = (list.length + 1) * 8;
  const block = Buffer.alloc(Math.max(8192, pointerBytes + encoded.reduce((sum, text) => sum + text.length, 0)));
  const base = Number(koffi().address(block));
  let at = pointerBytes;
  encoded.forEach((text, index) => {
    block.writeBigUInt64LE(BigInt(base + at), index * 8);
    at += text.copy(block, at);
  });
  return { block, arrayAt: base };
}

function addressOf(block: Buffer): number {
  return Number(koffi().address(block));
}

/** A descriptor of a child: a number of ours, or a path to open read-write. */
export type ChildDescriptor = number | string;

/** Descriptors 3 and 4 of a child must not be overwritten while they are still needed: move them out of the way. */
function above(fd: number, limit: number): number {
  if (fd >= limit) return fd;
  const moved = kernelSyscalls().call("fcntl", fd, F_DUPFD_CLOEXEC, limit);
  if (moved < 0) throw systemError(-moved, "fcntl");
  return moved;
}

function addActions(actions: number, descriptors: readonly ChildDescriptor[]): number[] {
  const moved: number[] = [];
  descriptors.forEach((descriptor, index) => {
    if (typeof descriptor === "string") {
      functions!.addOpen(actions, index, descriptor, 2 /* O_RDWR */, 0);
      return;
    }
    const fd = index === descriptor ? descriptor : above(descriptor, descriptors.length);
    if (fd !== descriptor) moved.push(fd);
    functions!.addDup2(actions, fd, index);
  });
  return moved;
}

/** Starts `path` with exactly the given descriptors (index = number in the child); returns its pid. Throws a system error. */
export function spawn(
  path: string,
  argv: readonly string[],
  env: readonly string[],
  descriptors: readonly ChildDescriptor[],
): number {
  functions ??= load();
  const actions = Buffer.alloc(8192, 0, "latin1").subarray(0, ACTIONS_BYTES * 16);
  const pid = Buffer.alloc(8192);
  const program = stringArray([path]);
  const args = stringArray(argv);
  const environment = stringArray(env);
  const actionsAt = addressOf(actions);
  functions.actionsInit(actionsAt);
  const moved = addActions(actionsAt, descriptors);
  const pathAt = Number(program.block.readBigUInt64LE(0));
  const error = functions.spawn(addressOf(pid), pathAt, actionsAt, 0, args.arrayAt, environment.arrayAt);
  functions.actionsDestroy(actionsAt);
  for (const fd of moved) kernelSyscalls().call("close", fd);
  if (error !== 0) throw systemError(error, "posix_spawn", path);
  return pid.readInt32LE(0);
}

const children = new Set<number>();

function isGone(pid: number): boolean {
  const info = new Uint8Array(128);
  const ret = kernelSyscalls().call("waitid", P_PID, pid, info, WEXITED | WNOHANG, 0);
  return ret < 0 || new DataView(info.buffer).getInt32(12, true) !== 0;
}

function sweep(): void {
  for (const pid of children) if (isGone(pid)) children.delete(pid);
}

/** Waits, with all of this thread, for a child that is about to end: its own children are somebody else's then (exit(2)). */
export function reapNow(pid: number): void {
  const info = new Uint8Array(128);
  while (kernelSyscalls().call("waitid", P_PID, pid, info, WEXITED, 0) === -ERRNO.EINTR);
  children.delete(pid);
}

/** Takes the exit status of `pid` when it ends, in the background, so that no zombie stays; holds nothing alive. */
export function reapEventually(pid: number): void {
  children.add(pid);
  let delayMs = 5;
  const look = (): void => {
    sweep();
    if (!children.has(pid)) return;
    delayMs = Math.min(delayMs * 2, 5000);
    setTimeout(look, delayMs).unref();
  };
  setTimeout(look, delayMs).unref();
}
