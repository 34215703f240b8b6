// The error of the tar codec.
import { LapError } from "@lapstrake/base";

/** An archive that cannot be read as tar; lowercase reason. */
export function tarError(why: string, code: "INVALID" | "TRUNCATED" | "LIMIT" | "UNSUPPORTED" = "INVALID"): LapError {
  return new LapError("invalidArgument", `ERR_LAP_TAR_${code}`, `invalid tar archive: ${why}`);
}
