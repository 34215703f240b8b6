// The program that carries a user's network: slirp4netns(1). Light: every start without root asks whether it can be used.
import { accessSync, constants } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** Name of the program, and of the network mode. */
export const TOOL = "slirp4netns";
/** What whoever lacks it can do. */
export const TOOL_HINT = "install slirp4netns and make /dev/net/tun writable to this user";

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
export function toolPath(path: string = process.env["PATH"] ?? ""): string | undefined {
  const places = path.split(delimiter).filter(isAbsolute);
  return places.map((place) => join(place, TOOL)).find((file) => may(file, constants.X_OK));
}

/** True when it is installed and this user may make the device that it needs. */
export function canUseTool(): boolean {
  return may(TUN, constants.R_OK | constants.W_OK) && toolPath() !== undefined;
}
