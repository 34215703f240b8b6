// VolumeRecord: what a volume is, record.json beside its _data. Written once; the directory of both appears by rename.
import { join } from "node:path";
import { LapError } from "@lapstrake/base";
import { damaged, readStored } from "../state/read-stored.ts";

/** A volume of driver `local`: a directory of the store, or a folder of the machine it stands for. */
export interface VolumeRecord {
  readonly version: 1;
  readonly name: string;
  /** ISO time. */
  readonly createdAt: string;
  /** Null when none were asked for, as docker shows it. */
  readonly labels: Readonly<Record<string, string>> | null;
  /** Driver options: `type=none`, `o=bind`, `device=FOLDER`. */
  readonly options: Readonly<Record<string, string>> | null;
}

/** Docker's mark of a volume that nobody named. */
export const ANONYMOUS_LABEL = "com.docker.volume.anonymous";

/** True for a volume that nobody named. */
export function isAnonymous(record: VolumeRecord): boolean {
  return Object.hasOwn(record.labels ?? {}, ANONYMOUS_LABEL);
}

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const MAX_NAME = 255;

/** Checks a name given by a person; throws `ERR_LAP_NAME_INVALID` in docker's words. */
export function checkVolumeName(name: string): string {
  if (name.length === 1) {
    throw nameError(`create ${name}: volume name is too short, names should be at least two alphanumeric characters`);
  }
  if (NAME.test(name) && name.length <= MAX_NAME) return name;
  if (name.length > MAX_NAME)
    throw nameError(`create ${name.slice(0, MAX_NAME)}: volume name is longer than ${MAX_NAME} characters`);
  const allowed = `only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed`;
  const advice = "If you intended to pass a host directory, use absolute path";
  throw nameError(
    `create ${name}: "${name}" includes invalid characters for a local volume name, ${allowed}. ${advice}`,
  );
}

function nameError(message: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_NAME_INVALID", message);
}

/** True for what can be a volume's directory. */
export function isVolumeName(name: string): boolean {
  return NAME.test(name) && name.length <= MAX_NAME;
}

/** The record in a volume's directory; undefined when there is none. Throws `ERR_LAP_RECORD_INVALID`, `ERR_LAP_RECORD_UNREADABLE`. */
export function readVolume(dir: string): VolumeRecord | undefined {
  const path = join(dir, "record.json");
  const text = readStored(path);
  if (text === undefined) return undefined;
  let value: VolumeRecord | null;
  try {
    value = JSON.parse(text) as VolumeRecord | null;
  } catch (cause) {
    throw damaged("volume record", path, cause);
  }
  if (value?.version === 1 && typeof value.name === "string") return value;
  throw damaged("volume record", path);
}
