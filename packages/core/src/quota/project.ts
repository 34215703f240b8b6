// Project quotas: one bound for all files of a project id, which files inherit from their directory (quotactl_fd(2), ioctl_fssetxattr
// of linux/fs.h; the same calls on ext4 and xfs). What is over the bound fails with EDQUOT on ext4 and ENOSPC on xfs.
import { closeSync, constants, openSync, readFileSync, statSync } from "node:fs";
import { ERRNO, LapError, systemError } from "@lapstrake/base";
import { kernelSyscalls } from "../sys/kernel.ts";

/** struct fsxattr: flags at 0, project id at 12. */
const ATTRIBUTE_BYTES = 28;
const FLAGS_AT = 0;
const PROJECT_AT = 12;
const FS_IOC_FSGETXATTR = 0x801c581f;
const FS_IOC_FSSETXATTR = 0x401c5820;
const FS_XFLAG_PROJINHERIT = 0x200;

/** struct if_dqblk: the hard limit in KiB at 0, the bytes in use at 16, what is valid at 64. */
const LIMITS_BYTES = 72;
const HARD_AT = 0;
const SPACE_AT = 16;
const VALID_AT = 64;
const QIF_BLIMITS = 1;
/** QCMD(Q_GETQUOTA, PRJQUOTA), QCMD(Q_SETQUOTA, PRJQUOTA). */
const GET_QUOTA = 0x80000702;
const SET_QUOTA = 0x80000802;
const KIB = 1024;
/** Administrators number theirs from the other end. */
const FIRST_ID = 1 << 20;
const LAST_ID = 0x7fff_ffff;

/** See {@link projectUse}. */
export interface ProjectUse {
  readonly limitBytes: number;
  readonly usedBytes: number;
}

/** True when the filesystem of a directory holds bounds of projects: mounted with `prjquota`. */
export function hasProjectQuota(dir: string): boolean {
  const { dev } = statSync(dir);
  const device = `${Math.floor(dev / 256) & 0xfff}:${(dev & 0xff) | ((dev >>> 12) & 0xfff00)}`;
  const lines = readFileSync("/proc/self/mountinfo", "latin1").split("\n");
  const line = lines.find((each) => each.split(" ")[2] === device);
  const options = line?.split(" - ")[1]?.split(" ")[2]?.split(",") ?? [];
  return options.includes("prjquota") || options.includes("pquota");
}

/** Gives directories, empty ones or nearly, one new project and all of it a bound in bytes. Throws a system error, `ERR_LAP_QUOTA`. */
export function boundProject(dirs: readonly [string, ...string[]], bytes: number): void {
  const id = withFd(dirs[0], (fd) => freeId(fd));
  for (const dir of dirs) setProject(dir, id);
  withFd(dirs[0], (fd) => setLimit(fd, id, bytes));
}

/** The project that what is made in a directory gets; 0 is none. */
export function projectOf(dir: string): number {
  return withFd(dir, (fd) => readAttributes(fd, dir).readUInt32LE(PROJECT_AT));
}

/** Gives a directory the project of another one. */
export function setProject(dir: string, id: number): void {
  withFd(dir, (fd) => {
    const attributes = readAttributes(fd, dir);
    attributes.writeUInt32LE((attributes.readUInt32LE(FLAGS_AT) | FS_XFLAG_PROJINHERIT) >>> 0, FLAGS_AT);
    attributes.writeUInt32LE(id, PROJECT_AT);
    must(kernelSyscalls().call("ioctl", fd, FS_IOC_FSSETXATTR, attributes), "ioctl", dir);
  });
}

/** Takes the bound of a directory's project away, so that the filesystem forgets it when its last file is gone. */
export function unboundProject(dir: string): void {
  const id = projectOf(dir);
  if (id !== 0) withFd(dir, (fd) => setLimit(fd, id, 0));
}

/** What a project uses of its filesystem, and its bound (0 without one), in bytes; undefined for one that nobody uses. Throws `ERR_LAP_QUOTA`. */
export function projectUse(dir: string, id: number): ProjectUse | undefined {
  return withFd(dir, (fd) => readUse(fd, id));
}

function readUse(fd: number, id: number): ProjectUse | undefined {
  const limits = Buffer.alloc(LIMITS_BYTES);
  const ret = kernelSyscalls().call("quotactl_fd", fd, GET_QUOTA, id, limits);
  if (ret === -ERRNO.ENOENT) return undefined;
  if (ret === -ERRNO.ESRCH) {
    throw new LapError("failedPrecondition", "ERR_LAP_QUOTA", "the filesystem keeps no quota of projects");
  }
  must(ret, "quotactl_fd");
  const limitBytes = Number(limits.readBigUInt64LE(HARD_AT)) * KIB;
  const usedBytes = Number(limits.readBigUInt64LE(SPACE_AT));
  return limitBytes === 0 && usedBytes === 0 ? undefined : { limitBytes, usedBytes };
}

/** An id that nobody uses: there is no allocator, so chance finds one. */
function freeId(fd: number): number {
  for (;;) {
    const id = FIRST_ID + Math.floor(Math.random() * (LAST_ID - FIRST_ID));
    if (readUse(fd, id) === undefined) return id;
  }
}

function setLimit(fd: number, id: number, bytes: number): void {
  const limits = Buffer.alloc(LIMITS_BYTES);
  limits.writeBigUInt64LE(BigInt(Math.ceil(bytes / KIB)), HARD_AT);
  limits.writeUInt32LE(QIF_BLIMITS, VALID_AT);
  must(kernelSyscalls().call("quotactl_fd", fd, SET_QUOTA, id, limits), "quotactl_fd");
}

function readAttributes(fd: number, dir: string): Buffer {
  const attributes = Buffer.alloc(ATTRIBUTE_BYTES);
  must(kernelSyscalls().call("ioctl", fd, FS_IOC_FSGETXATTR, attributes), "ioctl", dir);
  return attributes;
}

function withFd<T>(dir: string, use: (fd: number) => T): T {
  const fd = openSync(dir, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

function must(ret: number, call: string, path?: string): void {
  if (ret < 0) throw systemError(-ret, call, path);
}
