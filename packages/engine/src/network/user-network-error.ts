// The error of a container that gets no network from its user's process.
import { LapError } from "@lapstrake/base";
import { TOOL_HINT, type UserTool } from "./user-tool.ts";

/** Says why the tool carries nothing, and what to do. */
export function noUserNetwork(tool: UserTool, text: string): LapError {
  return new LapError("unavailable", "ERR_LAP_USER_NETWORK", `no network by ${tool}: ${text}`, {
    hint: `${TOOL_HINT}, or use --network none or --network host`,
  });
}
