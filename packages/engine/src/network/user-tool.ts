// The programs that carry a user's network: pasta(1) and slirp4netns(1). Light: every start without root asks which can be used.
import { accessSync, constants } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** The better one first; each name is also that of a network mode. */
export const USER_TOOLS = ["pasta", "slirp4netns"] as const;
export type UserTool = (typeof USER_TOOLS)[number];
/** What whoever lacks them can do. */
export const TOOL_HINT = "install pasta (package passt) or slirp4netns, and make /dev/net/tun writable to this user";

const TUN = "/dev/net/tun";

function may(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    // Absent, or not for this user.
    return false;
  }
}

/** Its path in PATH; undefined when it is not installed. */
export function toolPath(tool: UserTool, path: string = process.env["PATH"] ?? ""): string | undefined {
  const places = path.split(delimiter).filter(isAbsolute);
  return places.map((place) => join(place, tool)).find((file) => may(file, constants.X_OK));
}

/** The one of that name. */
export function namedTool(name: string): UserTool | undefined {
  return USER_TOOLS.find((tool) => tool === name);
}

/** True when it is installed and this user may make the device that it needs. */
export function canUse(tool: UserTool): boolean {
  return may(TUN, constants.R_OK | constants.W_OK) && toolPath(tool) !== undefined;
}

/** The one that a container has which names none; undefined when there is none. */
export function usableTool(): UserTool | undefined {
  return USER_TOOLS.find(canUse);
}
