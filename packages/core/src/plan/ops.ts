// The operations of a plan: names, codes and fields on the wire. native/src/ops.c has the same order, op_*.c the same fields.

/** How a field travels: u32, u64, text, list of text, list of u32, bytes. */
export type FieldType = "u32" | "u64" | "str" | "strs" | "u32s" | "bytes";

/** Fields of an operation in wire order. */
export type OpFields = Readonly<Record<string, FieldType>>;

/** Every operation, in the order of its code (from 1). */
export const OPS: Readonly<Record<string, OpFields>> = {
  cgroupJoin: { path: "str" },
  unshare: { flags: "u32" },
  setns: { type: "u32", path: "str" },
  propagation: { flags: "u64" },
  rootOverlay: { at: "str", lowerdirs: "strs", upperdir: "str", workdir: "str", options: "strs" },
  rootBind: { at: "str", path: "str", recursive: "u32" },
  mountFs: { type: "str", source: "str", options: "strs", attr: "u64", propagation: "u64", target: "str" },
  mountBind: {
    source: "str",
    target: "str",
    recursive: "u32",
    set: "u64",
    clear: "u64",
    recursiveSet: "u64",
    recursiveClear: "u64",
    propagation: "u64",
    propagateAll: "u32",
  },
  mknod: { path: "str", mode: "u32", major: "u32", minor: "u32", uid: "u32", gid: "u32" },
  symlink: { target: "str", path: "str" },
  mask: { path: "str" },
  readonly: { path: "str" },
  rootReadonly: {},
  pivot: {},
  hostname: { name: "str" },
  domainname: { name: "str" },
  loUp: {},
  sysctl: { path: "str", value: "str" },
  stdio: { uid: "u32", gid: "u32", console: "u32" },
  rlimit: { resource: "u32", soft: "u64", hard: "u64" },
  oomScoreAdj: { value: "str" },
  dropBounding: { keep: "u64" },
  ids: { uid: "u32", gid: "u32", groups: "u32s", skipGroups: "u32" },
  capset: { effective: "u64", permitted: "u64", inheritable: "u64", ambient: "u64" },
  umask: { mask: "u32" },
  chdir: { path: "str" },
  mkdirAll: { path: "str", mode: "u32" },
  noNewPrivs: {},
  seccomp: { flags: "u32", filter: "bytes" },
  findExec: { program: "str", env: "strs" },
  exec: { args: "strs", env: "strs" },
  personality: { persona: "u32" },
  scheduler: {
    policy: "u32",
    flags: "u64",
    nice: "u32",
    priority: "u32",
    runtime: "u64",
    deadline: "u64",
    period: "u64",
  },
  ioprio: { value: "u32" },
  keyring: { name: "str" },
  awaitMaps: {},
  rootPropagation: { flags: "u64", recursive: "u32" },
  joinTarget: { pid: "u32", startTime: "u64", flags: "u32" },
  setAttr: { target: "str", set: "u64" },
  gate: {},
  sync: { stage: "u32" },
  hook: { path: "str", args: "strs", env: "strs", timeout: "u32", status: "str" },
  seccompNotify: { flags: "u32", filter: "bytes", path: "str", state: "str" },
  mappedRoot: {},
  openSources: { paths: "strs" },
  rootOpen: { path: "str" },
  chroot: {},
  mountCopyUp: { type: "str", source: "str", options: "strs", attr: "u64", propagation: "u64", target: "str" },
  writeSelf: { path: "str", value: "str" },
};

/** Wire code of an operation's name. */
export const OP_CODES: ReadonlyMap<string, number> = new Map(Object.keys(OPS).map((name, index) => [name, index + 1]));
