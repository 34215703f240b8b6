// The kernel-backed runtime: a bundle goes in, a process comes out. Importing this is cheap: the FFI loads at first use.
export { CAPABILITIES, DEFAULT_CAPABILITIES, capabilityMask, capabilityNames } from "./spec/capabilities.ts";
export { defaultSpec } from "./spec/defaults.ts";
export { validateProcess, validateResources, validateSpec } from "./spec/validate.ts";
export { SIGNALS, parseSignal, signalName } from "./spec/signals.ts";
export { compileSeccomp } from "./seccomp/compile.ts";
export { useFilterShelf, type FilterShelf } from "./seccomp/cache.ts";
export { defaultSeccompProfile } from "./seccomp/profile/default.ts";
export { resolveSeccompProfile } from "./seccomp/profile/docker.ts";
export { seccompFeatures } from "./seccomp/features.ts";
export type { CompiledSeccomp, SeccompOptions } from "./seccomp/types.ts";
export { openDirFs } from "./dirfs/open.ts";
export { openOverlayDirFs } from "./dirfs/overlay.ts";
export { hostFacts } from "./facts/host.ts";
export { findNative } from "./facts/native.ts";
export { ensureDefaultProfile, isProfileLoaded } from "./apparmor/load.ts";
export { doctorFacts } from "./facts/doctor.ts";
export type { CgroupMount, HostFact, HostFacts } from "./facts/types.ts";
export { compile } from "./plan/compile.ts";
export { compileExec, type ExecTarget } from "./plan/exec.ts";
export { compileOther, compileOtherExec, runtimeRoot, type RuntimeCommands } from "./plan/other-runtime.ts";
export { PlanWriter } from "./plan/writer.ts";
export { encodePlan } from "./plan/encode.ts";
export { formatPlan } from "./plan/format.ts";
export type { CgroupPlan, CgroupWrite, LaunchPlan, PlanOp, PlanValue } from "./plan/types.ts";
export { launch, type LaunchExtras } from "./launch/launch.ts";
export { mountUnion, unmountUnion, type UnionBranches } from "./launch/union-mount.ts";
export { unmountBeneath } from "./launch/unmount.ts";
export { removeWhole } from "./supervisor/remove-whole.ts";
export { gateFailure, releaseGate } from "./launch/gate.ts";
export type { Bundle, LaunchOptions, Launched, LogOptions, OciOptions, Rootfs } from "./launch/types.ts";
export { bootId, killIfSame, signalProcess, startTime } from "./supervisor/liveness.ts";
export { attach, control, watchSupervisor } from "./supervisor/client.ts";
export { observeStatus, readStatus } from "./supervisor/status.ts";
export type { Attachment, ContainerState, Control, ExitStatus, StatusRecord } from "./supervisor/types.ts";
export { connectDatagram, type DatagramSocket } from "./sys/datagram.ts";
export {
  boundProject,
  hasProjectQuota,
  projectOf,
  projectUse,
  setProject,
  unboundProject,
  type ProjectUse,
} from "./quota/project.ts";
export { lockFile } from "./sys/lock.ts";
export { becomeMapped, holdUserNamespace, mappedProgram, ownIdMap, type MappedProgram } from "./sys/userns.ts";
export { cgroupReport } from "./cgroup/report.ts";
export { cgroupStats, oomKills, type CgroupStats } from "./cgroup/stats.ts";
export { setFreezer } from "./cgroup/freezer.ts";
export { updateResources } from "./cgroup/update.ts";
export { cleanup, removeCgroupDirs } from "./cgroup/cleanup.ts";
export { Firewall, type FirewallOptions } from "./net/firewall/firewall.ts";
export type { FirewallNetwork, FirewallState, InputPolicy, Protocol, PublishedPort } from "./net/firewall/types.ts";
export {
  createBridgeNetwork,
  enableForwarding,
  ownedBridges,
  removeBridgeNetwork,
  undoForwarding,
} from "./net/bridge-network.ts";
export type { BridgeNetworkOptions, BridgeNetworkSpec, ForwardingChange, OwnedBridge } from "./net/bridge-network.ts";
export { attachEndpoint, detachEndpoint, muteEndpoint, raiseLoopback } from "./net/endpoint.ts";
export type { Endpoint, EndpointSpec } from "./net/endpoint.ts";
export { attachSubEndpoint, checkParent, detachSubEndpoint, type SubEndpointSpec } from "./net/sub-endpoint.ts";
export { createNetns, openNetns, removeNetns, type Netns, type NetnsRef } from "./net/netns.ts";
export { readSysctl, writeSysctl, type SysctlPath } from "./net/sysctl.ts";
export { Rtnl } from "./net/rtnl/rtnl.ts";
export type { Link, LinkChange, VethEnd } from "./net/rtnl/links.ts";
export type { LinkAddress } from "./net/rtnl/addresses.ts";
export type { Route } from "./net/rtnl/routes.ts";
export type { NetlinkOptions } from "./net/netlink/socket.ts";
export { withNetns } from "./sys/net.ts";
export { allocate, chooseSubnet, createPool, DEFAULT_POOLS, localIpv6Subnet, release } from "./net/ipam.ts";
export type { Lease, Pool } from "./net/ipam.ts";
export {
  formatIp,
  macOfIp,
  parseIp,
  parsePrefix,
  prefixContains,
  prefixesOverlap,
  type Prefix,
} from "./net/address.ts";
export { Nft } from "./net/nft/nft.ts";
export { deleteTable, newChain, newRule, newTable, type Chain, type Family } from "./net/nft/objects.ts";
export { cmp, counter, ct, mask, meta, payload, verdict, type Expr } from "./net/nft/expr.ts";
export type { Request } from "./net/netlink/message.ts";
export { isTranslated, needsProxy } from "./net/firewall/elements.ts";
export { reservePort, type PortReservation } from "./net/reserve.ts";
export { forgetConnections, forgetUdpPort } from "./net/conntrack.ts";
export { connectInNetns } from "./net/connect.ts";
export { canListenIpv6, listenInNetns, openUdpSocket } from "./net/node-sockets.ts";
export { redirectResolver, RESOLVER_ADDRESS, type ResolverPorts } from "./net/resolver-redirect.ts";
export { networkRuleFacts } from "./net/facts.ts";
