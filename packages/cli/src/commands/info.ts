// `lap info`: docker's layout over the engine's facts.
import { engineInfo, type InspectObject } from "@lapstrake/engine";
import { formatBinarySize } from "@lapstrake/base";
import { INSPECT_FORMAT_HELP } from "../args/format-help.ts";
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { out } from "../output/print.ts";
import { compileTemplate } from "../template/execute.ts";
import { goJson } from "../template/values.ts";
import { VERSION } from "../version.ts";
import { API_VERSION } from "./version.ts";

export const infoCommand: Command = {
  name: "info",
  usage: "[OPTIONS]",
  summary: "Display system-wide information",
  aliases: ["lap system info", "lap info"],
  minArgs: 0,
  maxArgs: 0,
  interspersed: true,
  errorExitCode: 1,
  flags: [{ long: "format", short: "f", kind: "string", help: INSPECT_FORMAT_HELP }],
  async run({ flags, global }) {
    const format = readFlags(flags).text("format");
    const server = await engineInfo(engineFor(global), VERSION);
    if (format === undefined || format === "") {
      out(plain(server));
      return 0;
    }
    const value = { ...server, ClientInfo: clientInfo() };
    out(`${format === "json" ? goJson(value) : compileTemplate(format)(value)}\n`);
    return 0;
  },
};

function clientInfo(): InspectObject {
  return {
    Debug: false,
    Version: VERSION,
    DefaultAPIVersion: API_VERSION,
    GitCommit: "",
    GoVersion: "",
    Os: "linux",
    Arch: process.arch === "x64" ? "amd64" : process.arch,
    BuildTime: "",
    Context: "default",
    Plugins: [],
    Warnings: null,
  };
}

/** Label in docker's layout -> field; deeper labels are indented. */
const LINES: readonly (readonly [string, string])[] = [
  [" Containers", "Containers"],
  ["  Running", "ContainersRunning"],
  ["  Paused", "ContainersPaused"],
  ["  Stopped", "ContainersStopped"],
  [" Images", "Images"],
  [" Server Version", "ServerVersion"],
  [" Storage Driver", "Driver"],
  ["", "DriverStatus"],
  [" Logging Driver", "LoggingDriver"],
  [" Cgroup Driver", "CgroupDriver"],
  [" Cgroup Version", "CgroupVersion"],
  ["", "Plugins"],
  [" Runtimes", "Runtimes"],
  [" Default Runtime", "DefaultRuntime"],
  ["", "SecurityOptions"],
  [" Kernel Version", "KernelVersion"],
  [" Operating System", "OperatingSystem"],
  [" OSType", "OSType"],
  [" Architecture", "Architecture"],
  [" CPUs", "NCPU"],
  [" Total Memory", "MemTotal"],
  [" Name", "Name"],
  [" ID", "ID"],
  [" Docker Root Dir", "DockerRootDir"],
  [" Debug Mode", "Debug"],
  [" Experimental", "ExperimentalBuild"],
  [" Live Restore Enabled", "LiveRestoreEnabled"],
];

function plain(info: InspectObject): string {
  const client = [`Client:`, ` Version:    ${VERSION}`, " Context:    default", " Debug Mode: false"];
  const server = LINES.flatMap(([label, field]) =>
    label === "" ? nested(field, info[field]) : [`${label}: ${shown(field, info[field])}`],
  );
  return `${[...client, "", "Server:", ...server].join("\n")}\n`;
}

function shown(field: string, value: unknown): string {
  if (field === "MemTotal") return formatBinarySize(Number(value));
  if (field === "Runtimes") return Object.keys(value as object).join(" ");
  return String(value);
}

function nested(field: string, value: unknown): string[] {
  if (field === "DriverStatus") return (value as [string, string][]).map(([name, text]) => `  ${name}: ${text}`);
  if (field === "SecurityOptions") {
    const options = value as string[];
    return [" Security Options:", ...options.map((text) => `  ${text.replace(/^name=(\w+).*/, "$1")}`)];
  }
  const plugins = Object.entries(value as Record<string, string[] | null>);
  return [
    " Plugins:",
    ...plugins.flatMap(([kind, names]) => (names === null ? [] : [`  ${kind}: ${names.join(" ")}`])),
  ];
}
