// USER of a container -> numeric ids, from the image's own /etc/passwd and /etc/group (passwd(5), group(5)), in Docker's words.
import { LapError, type UserSpec } from "@lapstrake/base";

/** Texts of the two files; undefined when the image has none. */
export interface UserDatabase {
  readonly passwd: string | undefined;
  readonly group: string | undefined;
}

/** What the process runs as. */
export interface ResolvedUser {
  readonly spec: UserSpec;
  /** Home directory for HOME, "/" when the user is unknown. */
  readonly home: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const MAX_ID = 2 ** 31 - 1;

/** Resolves `[user[:group]]` plus extra groups. Throws `ERR_LAP_USER_UNKNOWN` or `ERR_LAP_USER_INVALID`. */
export function resolveUser(user: string, groupAdd: readonly string[], database: UserDatabase): ResolvedUser {
  const [userPart, groupPart] = splitOnce(user);
  const passwd = parsePasswd(database.passwd ?? "");
  const groups = parseGroup(database.group ?? "");
  const entry = findUser(userPart === "" ? "0" : userPart, passwd);
  const uid = entry?.uid ?? parseId(userPart, "user", database.passwd !== undefined);
  const gid = groupPart === undefined || groupPart === "" ? (entry?.gid ?? 0) : groupId(groupPart, groups, database);
  const own = groupPart === undefined || groupPart === "" ? memberships(entry, groups) : [];
  const extra = groupAdd.map((name) => groupId(name, groups, database));
  const additionalGids = [...new Set([gid, ...own, ...extra])];
  return { spec: { uid, gid, additionalGids }, home: entry?.home ?? "/" };
}

function splitOnce(text: string): [string, string?] {
  const colon = text.indexOf(":");
  return colon < 0 ? [text] : [text.slice(0, colon), text.slice(colon + 1)];
}

function findUser(wanted: string, passwd: readonly PasswdEntry[]): PasswdEntry | undefined {
  return passwd.find((entry) => entry.name === wanted) ?? passwd.find((entry) => String(entry.uid) === wanted);
}

function memberships(entry: PasswdEntry | undefined, groups: readonly GroupEntry[]): number[] {
  return entry === undefined
    ? []
    : groups.filter((group) => group.members.includes(entry.name)).map((group) => group.gid);
}

function groupId(wanted: string, groups: readonly GroupEntry[], database: UserDatabase): number {
  const found = groups.find((group) => group.name === wanted) ?? groups.find((group) => String(group.gid) === wanted);
  return found?.gid ?? parseId(wanted, "group", database.group !== undefined);
}

function parseId(text: string, what: "user" | "group", hasFile: boolean): number {
  if (text === "") return 0;
  if (!/^-?\d+$/.test(text)) {
    const file = what === "user" ? "passwd" : "group";
    const why = hasFile ? `no matching entries in ${file} file` : `the image has no /etc/${file}`;
    throw new LapError("invalidArgument", "ERR_LAP_USER_UNKNOWN", `unable to find ${what} ${text}: ${why}`);
  }
  const id = Number(text);
  if (id < 0 || id > MAX_ID) {
    throw new LapError(
      "invalidArgument",
      "ERR_LAP_USER_INVALID",
      `uids and gids must be in range 0-${MAX_ID}, not "${text}"`,
    );
  }
  return id;
}

function parsePasswd(text: string): PasswdEntry[] {
  return text.split("\n").flatMap((line) => {
    const [name = "", , uid = "", gid = "", , home = ""] = line.split(":");
    return name !== "" && /^\d+$/.test(uid) && /^\d+$/.test(gid)
      ? [{ name, uid: Number(uid), gid: Number(gid), home: home === "" ? "/" : home }]
      : [];
  });
}

function parseGroup(text: string): GroupEntry[] {
  return text.split("\n").flatMap((line) => {
    const [name = "", , gid = "", members = ""] = line.split(":");
    return name !== "" && /^\d+$/.test(gid) ? [{ name, gid: Number(gid), members: members.split(",") }] : [];
  });
}
