// What needs Node: time limits by node:vm, guests in threads, the process of a Wasm container. Start reading at payload-main.ts.
export {
  loadComponents,
  programBytes,
  readProgram,
  runCommand,
  runCommandNow,
  type CommandRun,
} from "./run-command.ts";
export { runPayload, type PayloadThread } from "./payload-main.ts";
export { canRunHere, runPayloadHere } from "./payload-here.ts";
export { servePayload, type Payload } from "./payload-thread.ts";
export type { Serving } from "./run-handler.ts";
export { lazyComponents } from "./lazy-components.ts";
export { serveFiles } from "./files-visit.ts";
export { LiveFiles, type FilesPatience } from "./files-client.ts";
export { runExec } from "./exec-client.ts";
export type { ExecOrder } from "./exec-frames.ts";
export type { Visit, VisitRunner } from "./exec-visit.ts";
export { closePool, warmPool } from "./pool.ts";
export { lazyTransport } from "./lazy-transport.ts";
export { nodeSockets } from "./sockets/index.ts";
export { nodeTransport } from "./http-transport.ts";
export { serveHttp, type HttpHandler, type HttpServer } from "./http-serve.ts";
