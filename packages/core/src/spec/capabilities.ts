// Capabilities: names by number (linux/capability.h, capabilities(7)) and Docker's default set.

/** Every capability in the order of its kernel number. */
export const CAPABILITIES: readonly string[] = (
  "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE " +
  "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN " +
  "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE " +
  "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
)
  .split(" ")
  .map((name) => `CAP_${name}`);

/** The 14 that Docker leaves to a container (mask 0xa80425fb). */
export const DEFAULT_CAPABILITIES: readonly string[] = capabilityNames(0xa80425fbn);

/** Bit mask of capability names; unknown names are returned apart. */
export function capabilityMask(names: readonly string[]): { mask: bigint; unknown: string[] } {
  let mask = 0n;
  const unknown: string[] = [];
  for (const name of names) {
    const bit = CAPABILITIES.indexOf(name);
    if (bit < 0) unknown.push(name);
    else mask |= 1n << BigInt(bit);
  }
  return { mask, unknown };
}

/** Names of the bits of `mask`, in kernel order. */
export function capabilityNames(mask: bigint): string[] {
  return CAPABILITIES.filter((_, bit) => (mask >> BigInt(bit)) & 1n);
}
