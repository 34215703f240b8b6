// `lap version`: docker's layout, our numbers. Client and server are one program here.
import { release } from "node:os";
import { INSPECT_FORMAT_HELP } from "../args/format-help.ts";
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { out } from "../output/print.ts";
import { compileTemplate } from "../template/execute.ts";
import { goJson } from "../template/values.ts";
import { VERSION } from "../version.ts";

/** Docker Engine API whose objects ours are. */
export const API_VERSION = "1.47";
const MIN_API_VERSION = "1.24";
const ARCH: Readonly<Record<string, string>> = { x64: "amd64" };

export const versionCommand: Command = {
  name: "version",
  usage: "[OPTIONS]",
  summary: "Show the lapstrake version information",
  minArgs: 0,
  maxArgs: 0,
  interspersed: true,
  errorExitCode: 1,
  flags: [{ long: "format", short: "f", kind: "string", help: INSPECT_FORMAT_HELP }],
  run({ flags }) {
    const format = readFlags(flags).text("format");
    const value = versionObject();
    if (format === undefined || format === "") out(plain());
    else if (format === "json") out(`${goJson(value)}\n`);
    else out(`${compileTemplate(format)(value)}\n`);
    return Promise.resolve(0);
  },
};

function versionObject(): Readonly<Record<string, unknown>> {
  const arch = ARCH[process.arch] ?? process.arch;
  const common = { Version: VERSION, ApiVersion: API_VERSION, NodeVersion: process.version, Os: "linux", Arch: arch };
  return {
    Client: withGoNames({ ...common, DefaultAPIVersion: API_VERSION, Context: "default" }),
    Server: withGoNames({
      ...common,
      Platform: { Name: "lapstrake" },
      MinAPIVersion: MIN_API_VERSION,
      KernelVersion: release(),
      Experimental: false,
      Components: [{ Name: "Engine", Version: VERSION, Details: { ApiVersion: API_VERSION } }],
    }),
  };
}

/** Templates call fields by their names in Go, which JSON does not show; what only Go programs have is empty. */
function withGoNames(value: object): object {
  const names = { APIVersion: API_VERSION, GoVersion: "", GitCommit: "", BuildTime: "" };
  for (const [name, text] of Object.entries(names)) Object.defineProperty(value, name, { value: text });
  return value;
}

function plain(): string {
  const arch = `${process.platform}/${ARCH[process.arch] ?? process.arch}`;
  return [
    "Client:",
    ` Version:           ${VERSION}`,
    ` API version:       ${API_VERSION}`,
    ` Node version:      ${process.version}`,
    ` OS/Arch:           ${arch}`,
    " Context:           default",
    "",
    "Server: (no daemon: this program)",
    " Engine:",
    `  Version:          ${VERSION}`,
    `  API version:      ${API_VERSION} (minimum version ${MIN_API_VERSION})`,
    `  Node version:     ${process.version}`,
    `  OS/Arch:          ${arch}`,
    "  Experimental:     false",
    "",
  ].join("\n");
}
