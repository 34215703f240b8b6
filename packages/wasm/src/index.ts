// The Wasm sandbox: WebAssembly programs over a filesystem of layers. Start reading at run/run-module.ts.
export { runModule, runNamed, type ModuleRun, type WasmLimits } from "./run/run-module.ts";
export type { ComponentRunner } from "./processes/system.ts";
export { EXIT, type WasmExit } from "./run/exit.ts";
export { Interrupt, REASON } from "./run/interrupt.ts";
export { DETECT_BYTES, detectWasm, mustDetectWasm, type WasmKind } from "./run/detect.ts";
export { compileModule } from "./run/compile.ts";
export { limitMemory, PAGE_BYTES } from "./binary/memory-limit.ts";
export { bytesInput, chunkOutput, EMPTY_INPUT, NULL_OUTPUT } from "./io/buffers.ts";
export type { GuestInput, GuestOutput, StreamKind } from "./io/ports.ts";
export type { GuestClock } from "./io/clock.ts";
export type { WasmModule } from "./webassembly.ts";
export { runWasm, type OutputSink, type WasmResult, type WasmRun } from "./run/run-wasm.ts";
export { runShell, type ShellRun } from "./shell/run-shell.ts";
export type { ShellPort, SpawnRequest } from "./shell/port.ts";
export { stdioObjects } from "./processes/objects.ts";
export { DirInodes, type DirInodesOptions } from "./mounts/dir-inodes.ts";
export { MountFs, type Mount } from "./mounts/mount-fs.ts";
export { policySockets, type SocketPolicy, type SocketRule } from "./sockets/policy.ts";
export type { SocketNet } from "./sockets/port.ts";
export { policySend, type HttpPolicy, type HttpRule, type HttpSecret, type HttpTransport } from "./http/policy.ts";
export {
  HttpFailure,
  type HttpBody,
  type HttpHeaders,
  type HttpRequest,
  type HttpResponse,
  type HttpSend,
  type HttpTimeouts,
} from "./http/exchange.ts";
