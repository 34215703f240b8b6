// The kernel-backed runtime: a bundle goes in, a process comes out. Importing this is cheap: the FFI loads at first use.
export { CAPABILITIES, DEFAULT_CAPABILITIES, capabilityMask, capabilityNames } from "./spec/capabilities.ts";
export { defaultSpec } from "./spec/defaults.ts";
export { SIGNALS, parseSignal, signalName } from "./spec/signals.ts";
export { openDirFs } from "./dirfs/open.ts";
export { hostFacts } from "./facts/host.ts";
export { doctorFacts } from "./facts/doctor.ts";
export type { CgroupMount, HostFact, HostFacts } from "./facts/types.ts";
export { compile } from "./plan/compile.ts";
export { encodePlan } from "./plan/encode.ts";
export { formatPlan } from "./plan/format.ts";
export type { CgroupPlan, CgroupWrite, LaunchPlan, PlanOp, PlanValue } from "./plan/types.ts";
export { launch } from "./launch/launch.ts";
export type { Bundle, LaunchOptions, Launched, LogOptions, Rootfs } from "./launch/types.ts";
export { attach, control } from "./supervisor/client.ts";
export { observeStatus, readStatus } from "./supervisor/status.ts";
export type { Attachment, ContainerState, Control, ExitStatus, StatusRecord } from "./supervisor/types.ts";
export { lockFile } from "./sys/lock.ts";
export { cleanup } from "./cgroup/cleanup.ts";
