// The composition root: containers, images and both sandboxes behind one typed API. Start reading at engine.ts.
export { Engine, openEngine, type EngineOptions } from "./engine.ts";
export type { EngineContext } from "./context.ts";
export { nodeProgram, type EngineProgram } from "./program.ts";
export type { CreateRequest, NetworkAttachment } from "./containers/request.ts";
export type {
  DeviceNumber,
  DeviceRequest,
  LimitRequest,
  SharingRequest,
  UlimitRequest,
} from "./containers/request-limits.ts";
export type { StartOptions } from "./containers/bundle.ts";
export { DEBUG_STAGES, type DebugSink, type DebugStage } from "./containers/launch-bundle.ts";
export type { ContainerSummary } from "./containers/list.ts";
export type { ContainerStatus, State } from "./containers/status.ts";
export { readContainerLog } from "./logs/read.ts";
export type { LogEntry, LogOptions } from "./containers/logs.ts";
export { attachContainer, sayDetached, sayResized } from "./containers/attach.ts";
export { restartContainer, stopContainer, waitContainer, waitSettled } from "./containers/stop.ts";
export { containerChanges } from "./containers/changes.ts";
export { commitContainer, type CommitRequest } from "./containers/commit.ts";
export { execContainer, type ExecProcess, type ExecRequest } from "./containers/exec.ts";
export { containerSizeBytes } from "./containers/size.ts";
export { containerPids, containerUsage, type ContainerUsage } from "./containers/usage.ts";
export { pauseContainer, renameContainer, unpauseContainer } from "./containers/change.ts";
export { inspectContainer, type InspectObject } from "./containers/inspect.ts";
export {
  findImage,
  listImages,
  loadImages,
  namePattern,
  removeImage,
  saveImages,
  tagImage,
  type ImageRow,
  type LoadInput,
} from "./images/operations.ts";
export {
  diskUsage,
  type ContainerDiskUsage,
  type DiskUsage,
  type ImageUsage,
  type VolumeUsage,
} from "./images/disk-usage.ts";
export { pruneContainers, pruneImages, type PrunedContainers, type PrunedImages } from "./prune.ts";
export { engineInfo } from "./info.ts";
export { exportContainer, importImage, type ImportRequest } from "./images/flat.ts";
export { wasmArtifactArchive } from "./images/artifact.ts";
export { imageHistory, type HistoryRow } from "./images/history.ts";
export { imageDifference, imageFs, imageTree, type ImageDifference } from "./images/look-into.ts";
export { appendLocal, rebaseLocal, squashLocal, type DeriveRequest } from "./images/derive.ts";
export { appendRemote, copyImage } from "./images/copy.ts";
export {
  imagesWithPlatforms,
  type ImagePlatform,
  type ImageSizes,
  type ImageWithPlatforms,
} from "./images/image-platforms.ts";
export { pullImage, pushImage, repositoryTags, type TransferRequest } from "./images/registry.ts";
export type { PulledImage, PushedImage } from "@lapstrake/layers";
export { registryDomain, registryLogin, registryLogout, storedLogin } from "./images/login.ts";
export { searchHub, type FoundImage } from "./images/search.ts";
export { inspectImage } from "./images/inspect.ts";
export type { GuestLimits } from "./sandbox/wasm-limits.ts";
export { runWasmPayload } from "./sandbox/wasm-payload.ts";
export { keepStore } from "./keeper/keep-store.ts";
export { reapById } from "./reap-by-id.ts";
export { shortId } from "./state/ids.ts";
export type { ContainerKind, ContainerRecord, RecordProcess, RecordRootfs } from "./state/record.ts";
export { defaultRoot } from "./state/layout.ts";
export {
  SIGNALS,
  doctorFacts,
  parseSignal,
  type Attachment,
  type ExitStatus,
  type HostFact,
  type Launched,
} from "@lapstrake/core";
export { startDns, type DnsServer, type DnsSource } from "./network/dns-server.ts";
export type { Member, Zone } from "./network/dns-zone.ts";
export type { Upstream } from "./network/dns-forward.ts";
export {
  createVolume,
  inspectVolume,
  listVolumes,
  pruneVolumes,
  removeVolume,
  type VolumeRequest,
  type VolumeRow,
  type SizedVolume,
} from "./volumes/manage.ts";
export { archiveContainerPath, copyFromContainer } from "./containers/copy-out.ts";
export { copyToContainer, extractToContainer, localSource } from "./containers/copy-in.ts";
export type { CopyOptions, PathStat } from "./containers/copy-types.ts";
export { mountFolders, unmountFolders } from "./volumes/union-mount.ts";
export type { VolumeRecord } from "./volumes/volume-record.ts";
export type { MountRequest, RecordMount } from "./volumes/types.ts";
export { Networks, type NetworksOptions } from "./network/networks.ts";
export type { ConnectRequest } from "./network/members.ts";
export type { EndpointRecord, NetworkRecord } from "./network/network-record.ts";
export type { NetworkRequest } from "./network/network-store.ts";
export { driverRequest, networkDriver } from "./network/driver-options.ts";
export { parsePortSpec, portName, type PortBinding } from "./network/port-spec.ts";
export { startTcpProxy, type PortProxy } from "./network/tcp-proxy.ts";
export { startUdpProxy } from "./network/udp-proxy.ts";
export { updatePorts, type PortChanges } from "./network/update-ports.ts";
export { parseAddHost } from "./network/hosts-file.ts";
export { parseLink } from "./network/links.ts";
export { hostAddress, portsColumn, type ShownPort } from "./network/show-ports.ts";
export { joinHolders } from "./sandbox/shared-ids.ts";
export { isOnUserNetwork } from "./network/mode.ts";
export { inspectNetwork } from "./network/show-settings.ts";
export {
  connectNetwork,
  createNetwork,
  disconnectNetwork,
  findNetwork,
  listNetworks,
  pruneNetworks,
  removeNetwork,
  type NetworkRow,
} from "./network/manage.ts";
export type { LogRequest } from "./containers/log-config.ts";
export { updateContainer, type ContainerChanges } from "./containers/update.ts";
export { stopStore } from "./restart/halt.ts";
export { startStore, type BootResult } from "./restart/boot.ts";
export type { RestartPolicy } from "./restart/policy.ts";
export type { HealthAction, HealthRequest } from "./health/config.ts";
export type { Health, HealthCheck, HealthStatus } from "./health/state.ts";
export { eventJson, eventLine, type EngineEvent, type EventType } from "./events/event.ts";
export type { EventsRequest } from "./events/events.ts";
export type { EventFilters } from "./events/filter.ts";
export { checkEngine, type CheckOptions, type Finding, type ProblemKind } from "./check/check.ts";
export { open, type OpenOptions } from "./library/open.ts";
export type {
  Box,
  BoxExit,
  BoxLogOptions,
  BoxOptions,
  BoxState,
  ContainerOptions,
  ExecOptions,
  ForkOptions,
  PortAddress,
  RunOptions,
  Snapshot,
  SnapshotOptions,
  Store,
  Surroundings,
} from "./library/types.ts";
export type { Encoding, Input, Output, ProcessOptions, Result } from "./library/process-types.ts";
export type { Process } from "./library/process.ts";
export { ProcessError } from "./library/process-error.ts";
export type { BoxFs, BoxUsage, FileData } from "./library/fs/box-fs.ts";
export type { BoxDir } from "./library/fs/box-dir.ts";
export type { CopyTreeOptions } from "./library/fs/copy-tree.ts";
export type { BoxFileHandle, ReadOptions, ReadResult } from "./library/fs/file-handle.ts";
export type { GlobOptions } from "./library/fs/glob.ts";
export type { Shell, ShellValue } from "./library/shell.ts";
export type { WaitFor } from "./library/wait/wait-for.ts";
export { removeAfter } from "./library/remove-after.ts";
export { forkContainer, type Forked, type ForkRequest } from "./library/fork.ts";
