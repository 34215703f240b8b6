// `network inspect` and `volume inspect`: several objects as one array or by a template, and what is not there at the end.
import { isLapError } from "@lapstrake/base";
import { errorText } from "../errors.ts";
import { goJsonArray } from "../output/json-array.ts";
import { err, out } from "../output/print.ts";
import { compileTemplate } from "../template/execute.ts";
import { goJson } from "../template/values.ts";

/** Prints what `inspect` gives for each name, by a Go template or as JSON; returns the exit code. Other errors than notFound are thrown. */
export function inspectEach(
  names: readonly string[],
  format: string | undefined,
  inspect: (name: string) => Readonly<Record<string, unknown>>,
): number {
  const render = format === undefined ? undefined : format === "json" ? goJson : compileTemplate(format);
  const found: Readonly<Record<string, unknown>>[] = [];
  const failures: string[] = [];
  for (const name of names) {
    try {
      found.push(inspect(name));
    } catch (error) {
      if (!isLapError(error, "notFound")) throw error;
      failures.push(errorText(error));
    }
  }
  out(render === undefined ? `${goJsonArray(found)}\n` : found.map((object) => `${render(object)}\n`).join(""));
  err(failures.map((text) => `${text}\n`).join(""));
  return failures.length === 0 ? 0 : 1;
}
