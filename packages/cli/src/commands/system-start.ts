// `lap system start`: after the machine started, and the systemd unit that runs it then.
import { defaultRoot, startStore } from "@lapstrake/engine";
import { resolve } from "node:path";
import { readFlags } from "../args/parse.ts";
import type { Command, Invocation } from "../args/types.ts";
import { errorText } from "../errors.ts";
import { engineFor } from "../open.ts";
import { err, out } from "../output/print.ts";

export const systemStartCommand: Command = {
  name: "system start",
  usage: "[OPTIONS]",
  summary: "After a start of the machine: restore networks, start containers as their restart policy says",
  minArgs: 0,
  maxArgs: 0,
  interspersed: true,
  errorExitCode: 1,
  flags: [{ long: "print-unit", kind: "bool", help: "Print a systemd unit that runs this at boot, and do nothing" }],
  run: systemStart,
};

async function systemStart({ flags, global }: Invocation): Promise<number> {
  if (readFlags(flags).bool("print-unit")) {
    out(unit(resolve(global.root ?? defaultRoot())));
    return 0;
  }
  let failed = 0;
  for (const { record, error } of await startStore(engineFor(global))) {
    if (error === undefined) out(`${record.name}\n`);
    else {
      failed++;
      err(`${record.name}: ${errorText(error)}\n`);
    }
  }
  return failed === 0 ? 0 : 1;
}

/** systemd.service(5): supervisors are not the service's to kill, so only its main process is. */
function unit(root: string): string {
  const words = [process.execPath, ...process.execArgv, process.argv[1]!, "--root", root, "system"];
  const line = (verb: string): string => [...words, verb].map(quoted).join(" ");
  return `# /etc/systemd/system/lapstrake.service
[Unit]
Description=lapstrake containers that start with the machine
Wants=network-online.target
After=network-online.target local-fs.target

[Service]
Type=oneshot
RemainAfterExit=yes
KillMode=process
ExecStart=${line("start")}
ExecStop=${line("stop")}
TimeoutStopSec=120

[Install]
WantedBy=multi-user.target
`;
}

/** A word of a command line as systemd.syntax(7) reads it. */
function quoted(word: string): string {
  const text = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[\w@%+=:,./$-]+$/.test(text) ? text : `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
