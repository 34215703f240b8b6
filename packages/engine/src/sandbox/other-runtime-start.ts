// A container under another OCI runtime (runtime.md "Lifecycle"): our helper mounts its root filesystem, runs `create` and `start`, and
// supervises the process that they leave; so log, terminal, limits, networks and clean-up are those of any container. The container's
// directory is the bundle; the runtime keeps its own state in `runtime` there, so that nothing outlives the directory.
import { rmSync } from "node:fs";
import { join } from "node:path";
import {
  cleanup,
  compileOther,
  hostFacts,
  launch,
  runtimeRoot,
  type Bundle,
  type HostFacts,
  type LaunchExtras,
  type LaunchOptions,
  type LaunchPlan,
  type Launched,
} from "@lapstrake/core";
import type { CapabilitiesSpec, LinuxSpec, Logger, ProcessSpec } from "@lapstrake/base";
import { cgroupOf } from "../containers/bundle.ts";
import { CONSOLE_SOCKET, PID_FILE, RUNTIME_LOG, runtimeArgs, runtimeEnvironment } from "./other-runtime-command.ts";
import { deleteFromRuntime } from "./other-runtime-end.ts";
import type { ContainerRecord } from "../state/record.ts";
import { runtimeError } from "./other-runtime-error.ts";

/** What runtimes of years ago take: nothing newer is asked of them. */
const SPEC_VERSION = "1.0.2";

/** The bundle as the runtime wants it: complete, because it adds nothing that this process was given or lacks. */
export function otherBundle(bundle: Bundle, logger: Logger): Bundle {
  const { spec } = bundle;
  const process = spec.process === undefined ? {} : { process: completeProcess(spec.process, hostFacts(), logger) };
  const root = { ...spec.root, path: runtimeRoot(bundle) };
  const { domainname, ...others } = spec;
  const linux = withDomain(withoutOwnRules(spec.linux), domainname);
  return { ...bundle, spec: { ...others, ...process, ociVersion: SPEC_VERSION, root, linux } };
}

/** The field is newer than what runtimes read; its kernel parameter is what dockerd sets. */
function withDomain(linux: LinuxSpec, name: string | undefined): LinuxSpec {
  return name === undefined ? linux : { ...linux, sysctl: { ...linux.sysctl, "kernel.domainname": name } };
}

/** Runtimes let every container make device nodes by themselves, and runc takes no exception (of docker's list) from a rule that says so. */
function withoutOwnRules(linux: LinuxSpec = {}): LinuxSpec {
  const { devices, ...resources } = linux.resources ?? {};
  const asked = devices?.filter(({ allow, access, major }) => !(allow && access === "m" && major === undefined));
  return { ...linux, resources: { ...resources, ...(asked === undefined ? {} : { devices: asked }) } };
}

/** The open-file limit, which Node has raised for itself, and only capabilities that this machine gives. */
export function completeProcess(process: ProcessSpec, facts: HostFacts, logger: Logger): ProcessSpec {
  const { rlimits = [], capabilities } = process;
  const hasFiles = rlimits.some(({ type }) => type === "RLIMIT_NOFILE");
  return {
    ...process,
    rlimits: hasFiles ? rlimits : [...rlimits, { type: "RLIMIT_NOFILE", ...facts.nofile }],
    ...(capabilities === undefined ? {} : { capabilities: givenOnly(capabilities, facts, logger) }),
  };
}

function givenOnly(capabilities: CapabilitiesSpec, facts: HostFacts, logger: Logger): CapabilitiesSpec {
  const isGiven = (name: string): boolean => facts.boundingCapabilities.includes(name);
  const missing = (capabilities.bounding ?? []).filter((name) => !isGiven(name));
  if (missing.length > 0) logger.warn(`capabilities this host cannot give: ${missing.join(", ")}`);
  return Object.fromEntries(Object.entries(capabilities).map(([set, names]) => [set, names?.filter(isGiven)]));
}

/** The plan; a guard waits beside the supervisor, because the process does not die with it by itself. */
export function planOther(
  record: ContainerRecord,
  bundle: Bundle,
  facts: HostFacts,
  options: LaunchOptions,
): LaunchPlan {
  const dir = options.containerDir;
  const begin = runtimeArgs(record, dir);
  const console = options.stdio === "pty" ? ["--console-socket", CONSOLE_SOCKET] : [];
  const commands = {
    dir,
    env: runtimeEnvironment(),
    create: [...begin, "create", "--bundle", dir, "--pid-file", PID_FILE, ...console, record.id],
    pidFile: PID_FILE,
    start: [...begin, "start", record.id],
  };
  return compileOther(bundle, commands, facts, { ...options, guarded: true });
}

/** Launches it. Throws what the runtime says, as {@link runtimeError}. */
export async function launchOther(
  record: ContainerRecord,
  dir: string,
  plan: LaunchPlan,
  extras: LaunchExtras,
): Promise<Launched> {
  // Left by a start that was killed half-way: a process that waits for the runtime's `start`, the runtime itself.
  deleteFromRuntime(record, dir);
  cleanup(cgroupOf(record), record.id);
  rmSync(join(dir, RUNTIME_LOG), { force: true });
  try {
    return await launch(plan, extras);
  } catch (error) {
    const said = runtimeError(error, join(dir, RUNTIME_LOG), "create");
    deleteFromRuntime(record, dir);
    throw said;
  }
}
