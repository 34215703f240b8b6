// The shared vocabulary of every room. Pure: no I/O, no imports, runs in a browser.
export { ERROR_KINDS, LapError, isLapError, type ErrorKind, type LapErrorOptions } from "./errors.ts";
export {
  ERRNO,
  FsError,
  errnoName,
  errorCode,
  fsError,
  systemError,
  type ErrnoName,
  type SystemError,
} from "./errno.ts";
export { fromBytes, fromByteString, toBytes, toByteString, type ByteString } from "./bytes.ts";
export { digestAlgorithm, digestHex, digestOf, isDigest, parseDigest, type Digest } from "./digest.ts";
export { familiarName, familiarReference, formatReference, parseReference, type Reference } from "./reference.ts";
export {
  MEDIA_TYPE,
  type Descriptor,
  type ExecConfig,
  type HealthConfig,
  type HistoryEntry,
  type ImageConfig,
  type ImageIndex,
  type Manifest,
  type Platform,
} from "./oci-image.ts";
export type {
  CapabilitiesSpec,
  DeviceRuleSpec,
  DeviceSpec,
  HookSpec,
  HooksSpec,
  IdMapSpec,
  LinuxSpec,
  MountSpec,
  NamespaceSpec,
  ProcessSpec,
  ResourcesSpec,
  RlimitSpec,
  RootSpec,
  RuntimeSpec,
  RuntimeState,
  SchedulerSpec,
  SeccompSpec,
  ThrottleSpec,
  UserSpec,
} from "./oci-runtime.ts";
export { formatPlatform, isWasmPlatform, normalizePlatform, parsePlatform, samePlatform } from "./platform.ts";
export { formatAgo, formatBinarySize, formatSize, formatTimestamp, parseDurationMs, parseSize } from "./units.ts";
export { parseJson, parseJsonObject } from "./json.ts";
export { MAX_CONFIG_BYTES, MAX_LAYERS, MAX_MANIFEST_BYTES } from "./limits.ts";
export type {
  ClockPort,
  CompressionFormat,
  CompressionPort,
  DirEntry,
  DirFs,
  DirFsFeatures,
  FileHandle,
  FileStat,
  FileType,
  HashPort,
  Hasher,
  HttpPort,
  HttpRequest,
  HttpResponse,
  HttpTls,
  Logger,
  OpenOptions,
  ProgressEvent,
  ProgressSink,
  Timespec,
} from "./ports.ts";
