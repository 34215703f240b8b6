// list, ps, spec, features, checkpoint, restore: what is known, and what is refused.
import { existsSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { spawnSync } from "node:child_process";
import { LapError, type RuntimeSpec } from "@lapstrake/base";
import { CAPABILITIES, defaultSpec, hostFacts, seccompFeatures } from "@lapstrake/core";
import { NO_FLAGS, type Command } from "../command.ts";
import type { RuntimeContext } from "../context.ts";
import { isOn, value } from "../flags.ts";
import { processesOf } from "../processes.ts";
import { listAll, load, loadSpec, statusOf, type Kept } from "../state.ts";

function row(context: RuntimeContext, kept: Kept): Record<string, unknown> {
  const status = statusOf(context.root, kept);
  const { ociVersion, id, bundle, created, annotations } = kept;
  const rootfs = resolve(bundle, loadSpec(context.root, id).root?.path ?? "rootfs");
  return {
    ociVersion,
    id,
    pid: status === "stopped" ? 0 : kept.pid,
    status,
    bundle,
    rootfs,
    created,
    annotations,
    owner: "root",
  };
}

function table(rows: readonly Record<string, unknown>[], columns: readonly string[]): string {
  const cells = [
    columns.map((name) => name.toUpperCase()),
    ...rows.map((one) => columns.map((name) => String(one[name]))),
  ];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => line[index]!.length)));
  return cells
    .map(
      (line) =>
        line
          .map((cell, index) => cell.padEnd(widths[index]!))
          .join("   ")
          .trimEnd() + "\n",
    )
    .join("");
}

export const list: Command = {
  table: { flags: { format: "value", quiet: "switch" }, short: { f: "format", q: "quiet" } },
  run(context, parsed) {
    const rows = listAll(context.root).map((kept) => row(context, kept));
    if (isOn(parsed, "quiet")) process.stdout.write(rows.map((one) => `${String(one["id"])}\n`).join(""));
    else if (value(parsed, "format") === "json") process.stdout.write(`${JSON.stringify(rows)}\n`);
    else process.stdout.write(table(rows, ["id", "pid", "status", "bundle", "created", "owner"]));
    return 0;
  },
};

export const ps: Command = {
  table: { flags: { format: "value" }, short: { f: "format" }, restIsArgs: true },
  run(context, parsed) {
    const [id, ...args] = parsed.words;
    if (id === undefined) throw new LapError("invalidArgument", "ERR_LAP_USAGE", "ps needs a container's id");
    const kept = load(context.root, id);
    const pids = processesOf(kept);
    const format = value(parsed, "format") ?? args.at(args.indexOf("--format") + 1);
    if (format === "json") {
      process.stdout.write(`${JSON.stringify(pids)}\n`);
      return 0;
    }
    const listed = spawnSync("ps", args.length > 0 ? args : ["-ef"], { encoding: "utf8" });
    if (listed.error !== undefined) throw listed.error;
    const [head = "", ...lines] = listed.stdout.split("\n");
    const column = head.trim().split(/\s+/).indexOf("PID");
    const wanted = new Set(pids.map(String));
    const kept2 = lines.filter((line) => wanted.has(line.trim().split(/\s+/)[column] ?? ""));
    process.stdout.write([head, ...kept2].join("\n") + "\n");
    return 0;
  },
};

/** runc's choice for a bundle that somebody is about to write. */
const FEW = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

function templateSpec(): RuntimeSpec {
  const base = defaultSpec();
  // On v1 a cgroup namespace hides the paths that clients look for; runc's template has it on v2 alone.
  const namespaces = base.linux!.namespaces!.filter(({ type }) => type !== "cgroup" || hostFacts().cgroupMode === "v2");
  return {
    ...base,
    linux: { ...base.linux, namespaces },
    hostname: "lap-runtime",
    process: {
      ...base.process!,
      terminal: true,
      noNewPrivileges: true,
      capabilities: { bounding: FEW, effective: FEW, permitted: FEW },
    },
    root: { path: "rootfs", readonly: true },
  };
}

// For a user without privilege: one id, its own, and nothing that needs a cgroup.
function rootlessSpec(): RuntimeSpec {
  const base = templateSpec();
  const { resources: _, ...linux } = base.linux!;
  const uidMappings = [{ containerID: 0, hostID: process.geteuid?.() ?? 0, size: 1 }];
  const gidMappings = [{ containerID: 0, hostID: process.getegid?.() ?? 0, size: 1 }];
  return {
    ...base,
    linux: { ...linux, namespaces: [...linux.namespaces!, { type: "user" }], uidMappings, gidMappings },
  };
}

export const spec: Command = {
  table: { flags: { bundle: "value", rootless: "switch" }, short: { b: "bundle" } },
  run(_context, parsed) {
    const path = join(value(parsed, "bundle") ?? ".", "config.json");
    if (existsSync(path)) throw new LapError("alreadyExists", "ERR_LAP_EXISTS", `File ${path} exists. Remove it first`);
    const document = isOn(parsed, "rootless") ? rootlessSpec() : templateSpec();
    writeFileSync(path, `${JSON.stringify(document, null, "\t")}\n`);
    return 0;
  },
};

export const features: Command = {
  table: NO_FLAGS,
  run() {
    const facts = hostFacts();
    const document = {
      ociVersionMin: "1.0.0",
      ociVersionMax: "1.3.0",
      hooks: ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"],
      mountOptions:
        "acl atime bind defaults dev diratime dirsync exec noatime nodev nodiratime noexec norelatime nostrictatime nosuid nosymfollow private rbind relatime ro rprivate rro rshared rslave runbindable rw shared slave strictatime suid symfollow sync tmpcopyup unbindable".split(
          " ",
        ),
      linux: {
        namespaces: ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"],
        capabilities: CAPABILITIES,
        cgroup: { v1: true, v2: true, systemd: false, systemdUser: false, rdma: true },
        seccomp: seccompFeatures(),
        apparmor: { enabled: facts.apparmor },
        selinux: { enabled: facts.selinux },
        mountExtensions: { idmap: { enabled: true } },
      },
    };
    process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
    return 0;
  },
};

function refused(what: string): Command {
  return {
    table: { flags: {}, restIsArgs: true },
    run() {
      throw new LapError(
        "unimplemented",
        "ERR_LAP_UNSUPPORTED",
        `${what} is not supported: lap-runtime does not drive CRIU`,
      );
    },
  };
}

export const checkpoint: Command = refused("checkpoint");
export const restore: Command = refused("restore");
