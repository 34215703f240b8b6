// Files of NAME=VALUE lines, as --env-file and --label-file take them (docker/cli pkg/kvfile): blanks before a line, empty lines and
// lines that begin with # are left out; quotes are part of the value.
import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { LapError, errorCode } from "@lapstrake/base";

const WHY: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
};

/** The lines that count. Throws `ERR_LAP_FILE`, in docker's words, which speak of an env file whatever the file is for. */
export function keyValueLines(path: string): string[] {
  const bytes = readBytes(path);
  const lines = bytes.toString("utf8").split("\n");
  const invalid = (why: string): LapError => invalidFile(path, why);
  if (!isUtf8(bytes))
    throw invalid(`invalid utf8 bytes at line ${lines.findIndex((line) => line.includes("\ufffd")) + 1}`);
  const shown = lines
    .map((line) => line.replace(/\r$/, "").trimStart())
    .filter((line) => line !== "" && line[0] !== "#");
  for (const line of shown) {
    const [name = ""] = line.split("=", 1);
    if (name === "") throw invalid(`no variable name on line '${line}'`);
    if (/[ \t]/.test(name)) throw invalid(`variable '${name}' contains whitespaces`);
  }
  return shown;
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const code = errorCode(cause) ?? "";
    if (code === "EISDIR") throw invalidFile(path, `read ${path}: is a directory`);
    throw new LapError("notFound", "ERR_LAP_FILE", `open ${path}: ${WHY[code] ?? code}`, { cause });
  }
}

function invalidFile(path: string, why: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_FILE", `invalid env file (${path}): ${why}`);
}
