// The ports implemented with node:*: everything of this room that knows it runs in Node.
import type { ClockPort, CompressionPort, HashPort } from "@lapstrake/base";
import { nodeClock, nodeCompression, nodeHash } from "./ports.ts";

export { certificateFolders, readCertificates } from "./certificates.ts";
export { nodeHelpers } from "./credential-helper.ts";
export { openNodeDir } from "./dirfs.ts";
export { HTTP_TIMEOUTS, nodeHttp, type HttpTimeouts, type ProxyEnv } from "./http.ts";
export {
  keepLogin,
  loginFile,
  nodeCredentials,
  nodeRegistry,
  type Environment,
  type NodeRegistryOptions,
} from "./registry.ts";
export { nodeClock, nodeCompression, nodeHash } from "./ports.ts";
export { nodeFsWithStreams, type FsWatcher, type NodeFsWithStreams, type ReadStreamOptions } from "./streams.ts";
export { union } from "./union.ts";

/** Hash, compression and clock of Node, as the stores take them. */
export const nodePorts: { readonly hash: HashPort; readonly compression: CompressionPort; readonly clock: ClockPort } =
  {
    hash: nodeHash,
    compression: nodeCompression,
    clock: nodeClock,
  };
