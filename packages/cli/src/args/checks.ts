// What docker's command line checks of a flag's value before it asks anybody, in its words.
import { LapError } from "@lapstrake/base";

/** Of --env: NAME=VALUE, or NAME alone. */
export function checkVariable(text: string): void {
  if (text === "" || text.startsWith("=")) throw invalid(`invalid environment variable: ${text}`);
}

/** Of --label. */
export function checkLabel(text: string): void {
  if (text === "" || text.startsWith("=")) throw invalid(`invalid label '${text}': empty name`);
}

function invalid(message: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_FLAG_VALUE", message);
}
