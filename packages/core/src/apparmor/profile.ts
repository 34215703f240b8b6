// The default AppArmor profile of a container (apparmor.d(5)): a second wall behind namespaces, capabilities and the filter.
// Everything that those leave to a container is allowed; what would reach the machine through /proc, /sys, a new mount, another
// process or a socket family without namespaces is not.

/** Name under which the default profile is loaded. */
export const DEFAULT_PROFILE = "lapstrake-default";

// Negations are written out letter by letter: a pattern of AppArmor has no "all but this name", and its classes take a "/".
const OUTSIDE_PROC_PID = "{[^1-9/],[^1-9/][^0-9/],[^1-9s/][^0-9y/][^0-9s/],[^1-9/][^0-9/][^0-9/][^0-9/]*}";
const OUTSIDE_SHM = "{?,??,[^s][^h][^m]**}";

/** Text of the profile; `abi` names the features that it is written for, where the parser knows them. */
export function profileText(name: string = DEFAULT_PROFILE, abi?: string): string {
  const lines = [
    "network,",
    "deny network alg,",
    "deny network vsock,",
    "capability,",
    "file,",
    "unix,",
    "umount,",
    "deny mount,",
    "deny pivot_root,",
    // Whoever supervises is unconfined.
    "signal (receive) peer=unconfined,",
    `signal (send, receive) peer=${name},`,
    `ptrace (trace, read, tracedby, readby) peer=${name},`,
    "deny @{PROC}/* w,",
    `deny @{PROC}/${OUTSIDE_PROC_PID}/** w,`,
    "deny @{PROC}/sys/[^k]** w,",
    `deny @{PROC}/sys/kernel/${OUTSIDE_SHM} w,`,
    "deny @{PROC}/sysrq-trigger rwklx,",
    "deny @{PROC}/kcore rwklx,",
    "deny @{PROC}/kmem rwklx,",
    "deny @{PROC}/mem rwklx,",
    "deny /sys/[^f]*/** wklx,",
    "deny /sys/f[^s]*/** wklx,",
    "deny /sys/fs/[^c]*/** wklx,",
    "deny /sys/fs/c[^g]*/** wklx,",
    "deny /sys/fs/cg[^r]*/** wklx,",
    "deny /sys/firmware/** rwklx,",
    "deny /sys/devices/virtual/powercap/** rwklx,",
    "deny /sys/kernel/security/** rwklx,",
  ];
  const head = abi === undefined ? [] : [`abi <${abi}>,`];
  const flags = "flags=(attach_disconnected,mediate_deleted)";
  return [...head, "@{PROC}=/proc/", `profile ${name} ${flags} {`, ...lines.map((line) => `  ${line}`), "}", ""].join(
    "\n",
  );
}
