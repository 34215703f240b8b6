// The status record that a supervisor keeps in containerDir/status; native/src/status.h has the same offsets.
import { closeSync, openSync, readSync } from "node:fs";
import { errorCode, LapError, type Timespec } from "@lapstrake/base";
import { bootId, killIfSame, startTime } from "./liveness.ts";
import type { ContainerState, StatusRecord } from "./types.ts";

const MAGIC = 0x5350414c;
const VERSION = 1;
const RECORD_BYTES = 512;
const OOM = 1;
const STATES: Readonly<Record<number, ContainerState>> = { 1: "created", 2: "running", 3: "paused", 4: "exited" };

function time(record: Buffer, at: number): Timespec | undefined {
  const ns = record.readBigUInt64LE(at);
  return ns === 0n ? undefined : { sec: Number(ns / 1_000_000_000n), nsec: Number(ns % 1_000_000_000n) };
}

function decode(record: Buffer): StatusRecord {
  const state = STATES[record.readUInt32LE(8)];
  const isRecord = record.length === RECORD_BYTES && record.readUInt32LE(0) === MAGIC;
  if (!isRecord || record.readUInt32LE(4) !== VERSION || state === undefined) {
    throw new LapError(
      "dataLoss",
      "ERR_LAP_STATUS_INVALID",
      "the status record of a container is damaged or of another version",
    );
  }
  const signal = record.readUInt32LE(60);
  return {
    state,
    supervisorPid: record.readUInt32LE(16),
    pid: record.readUInt32LE(20),
    supervisorStartTime: Number(record.readBigUInt64LE(24)),
    pidStartTime: Number(record.readBigUInt64LE(32)),
    startedAt: time(record, 40),
    finishedAt: time(record, 48),
    exitCode: record.readUInt32LE(56),
    signal: signal === 0 ? undefined : signal,
    oomKilled: (record.readUInt32LE(12) & OOM) !== 0,
    supervisorLost: false,
    bootId: record.toString("latin1", 64, 104).replace(/\0.*$/s, ""),
    error: record.toString("utf8", 108, 108 + Math.min(record.readUInt32LE(104), 404)),
  };
}

/** The record as written; undefined when there is none. Throws `ERR_LAP_STATUS_INVALID`. */
export function readStatus(containerDir: string): StatusRecord | undefined {
  // Zeros behind a shorter one; a byte more would show that it is longer.
  const bytes = Buffer.alloc(RECORD_BYTES + 1);
  try {
    const fd = openSync(`${containerDir}/status`, "r");
    try {
      const got = readSync(fd, bytes, 0, bytes.length, 0);
      return decode(got > RECORD_BYTES ? bytes : bytes.subarray(0, RECORD_BYTES));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function isSupervised(record: StatusRecord): boolean {
  if (record.bootId !== bootId()) return false;
  return startTime(record.supervisorPid) === record.supervisorStartTime;
}

/**
 * The record with liveness: a running container whose supervisor is gone is `exited` (137, `supervisorLost`), and made
 * sure to be dead.
 */
export function observeStatus(containerDir: string): StatusRecord | undefined {
  const record = readStatus(containerDir);
  if (record === undefined || record.state === "exited" || isSupervised(record)) return record;
  // It may have written its exit record between our reading and its end.
  const again = readStatus(containerDir) ?? record;
  if (again.state === "exited") return again;
  if (record.bootId === bootId()) killIfSame(record.pid, record.pidStartTime);
  return { ...again, state: "exited", exitCode: 137, signal: 9, supervisorLost: true };
}
