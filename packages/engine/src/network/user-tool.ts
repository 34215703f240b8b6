// The programs that carry a user's network: pasta(1) and slirp4netns(1). Light: every start without root asks which can be used.
import { accessSync, constants } from "node:fs";
import { findProgram } from "../find-program.ts";

/** The better one first; each name is also that of a network mode. */
export const USER_TOOLS = ["pasta", "slirp4netns"] as const;
export type UserTool = (typeof USER_TOOLS)[number];
/** What whoever lacks them can do. */
export const TOOL_HINT = "install pasta (package passt) or slirp4netns, and make /dev/net/tun writable to this user";

const TUN = "/dev/net/tun";

function isOpenTun(): boolean {
  try {
    accessSync(TUN, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    // Absent, or not for this user.
    return false;
  }
}

/** The one of that name. */
export function namedTool(name: string): UserTool | undefined {
  return USER_TOOLS.find((tool) => tool === name);
}

/** True when it is installed and this user may make the device that it needs. */
export function canUse(tool: UserTool): boolean {
  return isOpenTun() && findProgram(tool) !== undefined;
}

/** The one that a container has which names none; undefined when there is none. */
export function usableTool(): UserTool | undefined {
  return USER_TOOLS.find(canUse);
}
