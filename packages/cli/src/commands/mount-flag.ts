// `--mount type=bind,source=/here,target=/there` -> MountRequest: one line of CSV, in the words of docker's client.
import { LapError, parseSize } from "@lapstrake/base";
import type { MountRequest } from "@lapstrake/engine";
import { resolve } from "node:path";
import { UsageError } from "../args/types.ts";
import { csvFields } from "./csv.ts";

/** Every `--mount` of a command line. Throws {@link UsageError}. */
export function mountRequests(texts: readonly string[]): MountRequest[] {
  return texts.map((text) => {
    try {
      return parseMount(text);
    } catch (error) {
      if (!(error instanceof LapError)) throw error;
      throw new UsageError(`invalid argument "${text}" for "--mount" flag: ${error.message}`, 125, "Run", false);
    }
  });
}

/** Fields of a request while they are read, and which groups of options were named. */
interface Draft {
  readonly groups: Set<Group>;
  mount: Partial<Record<keyof MountRequest, unknown>>;
}

type Group = "bind" | "volume" | "image" | "tmpfs";
const BOOLEANS = new Set(["readonly", "ro", "volume-nocopy", "bind-nonrecursive", "bind-create-src", "idmap"]);

function parseMount(text: string): MountRequest {
  const draft: Draft = { groups: new Set(), mount: { type: "volume" } };
  for (const field of csvFields(text)) readField(field, draft);
  checkGroups(draft);
  if (draft.mount.target === undefined) throw bad("target is required");
  return { target: "", ...draft.mount } as unknown as MountRequest;
}

function readField(field: string, draft: Draft): void {
  const at = field.indexOf("=");
  const name = at < 0 ? field : field.slice(0, at);
  const value = at < 0 ? undefined : field.slice(at + 1);
  if (name.trim() !== name) throw bad(`invalid option '${name}' in '${field}': option should not have whitespace`);
  if (value !== undefined && value.trim() === "") throw bad(`invalid value for '${name}': value is empty`);
  if (value !== undefined && value.trim() !== value)
    throw bad(`invalid value for '${name}' in '${field}': value should not have whitespace`);
  const key = name.toLowerCase();
  if (value === undefined && !BOOLEANS.has(key)) throw bad(`invalid field '${field}' must be a key=value pair`);
  const read = Object.hasOwn(FIELDS, key) ? FIELDS[key] : undefined;
  if (read === undefined) throw bad(`unexpected key '${key}' in '${field}'`);
  const group = /^(bind|volume|image|tmpfs)-/.exec(key)?.[1] as Group | undefined;
  if (group !== undefined) draft.groups.add(group);
  Object.assign(draft.mount, read(value ?? "true", key, draft));
}

type Read = (value: string, key: string, draft: Draft) => Partial<MountRequest>;

const type: Read = (value) => ({ type: value.toLowerCase() as MountRequest["type"] });
const source: Read = (value) => ({ source: value.startsWith("./") || value === "." ? resolve(value) : value });
const target: Read = (value) => ({ target: value });
const readOnly: Read = (value, key) => ({ readOnly: bool(value, key) });
const subpath: Read = (value) => ({ subpath: value });

const FIELDS: Readonly<Record<string, Read>> = {
  type,
  source,
  src: source,
  target,
  dst: target,
  destination: target,
  readonly: readOnly,
  ro: readOnly,
  consistency: () => ({}),
  idmap: (value, key) => ({ idmap: bool(value, key) }),
  "bind-propagation": (value) => ({ propagation: value.toLowerCase() }),
  "bind-nonrecursive": (value, key) => (bool(value, key) ? { recursive: "disabled" } : {}),
  "bind-recursive": (value, key) => ({ recursive: recursion(value, key) }),
  "bind-create-src": (value, key) => ({ createSource: bool(value, key) }),
  "volume-subpath": subpath,
  "image-subpath": subpath,
  "volume-nocopy": (value, key) => ({ noCopy: bool(value, key) }),
  "volume-label": (value, _key, { mount }) => ({ volumeLabels: withPair(mount.volumeLabels, value) }),
  "volume-opt": (value, _key, { mount }) => ({ volumeOptions: withPair(mount.volumeOptions, value) }),
  "volume-driver": (value) => ({ volumeDriver: value }),
  "tmpfs-size": (value, key) => ({ tmpfsSizeBytes: size(value, key) }),
  "tmpfs-mode": (value, key) => ({ tmpfsMode: mode(value, key) }),
};

function withPair(old: unknown, text: string): Record<string, string> {
  const at = text.indexOf("=");
  const [name, value] = at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  return { ...(old as Record<string, string> | undefined), [name]: value };
}

function bool(value: string, key: string): boolean {
  if (["true", "1"].includes(value)) return true;
  if (["false", "0"].includes(value)) return false;
  throw bad(
    `invalid value for '${key}': invalid boolean value ("${value}"): must be one of "true", "1", "false", or "0" (default "true")`,
  );
}

function recursion(value: string, key: string): NonNullable<MountRequest["recursive"]> {
  if (value === "enabled" || value === "disabled" || value === "writable" || value === "readonly") return value;
  throw bad(`invalid value for ${key}: ${value} (must be "enabled", "disabled", "writable", or "readonly")`);
}

function size(value: string, key: string): number {
  try {
    return parseSize(value);
  } catch (error) {
    if (error instanceof LapError) throw bad(`invalid value for ${key}: ${value}`);
    throw error;
  }
}

function mode(value: string, key: string): number {
  if (/^[0-7]{1,11}$/.test(value)) return Number.parseInt(value, 8);
  throw bad(`invalid value for ${key}: ${value}`);
}

/** Options of one type with a mount of another are refused. */
function checkGroups({ groups, mount }: Draft): void {
  for (const group of ["volume", "image", "bind", "tmpfs"] as const) {
    if (groups.has(group) && mount.type !== group)
      throw bad(`cannot mix '${group}-*' options with mount type '${String(mount.type)}'`);
  }
  const { recursive, propagation } = mount;
  if ((recursive === "writable" || recursive === "readonly") && mount.readOnly !== true)
    throw bad(`option 'bind-recursive=${recursive}' requires 'readonly' to be specified in conjunction`);
  if (recursive === "readonly" && propagation !== "rprivate")
    throw bad("option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction");
}

function bad(message: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_FLAG_VALUE", message);
}
