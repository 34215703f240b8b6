// wasi:cli, wasi:clocks and wasi:random 0.2.
import { ProcExit, randomBytes } from "../p1/process.ts";
import type { ComponentHost, Interface } from "./host.ts";
import { Pollable, timePollable } from "./poll.ts";
import { InputStream, OutputStream } from "./streams.ts";

/** A terminal: only its existence says something. */
class TerminalInput {}
class TerminalOutput {}

const NS_PER_SEC = 1_000_000_000n;
const RESOLUTION_NS = 1000n;

/** wasi:cli/*. */
export function cliInterfaces(host: ComponentHost): Record<string, Interface> {
  const terminal = (port: { readonly kind: string }, make: () => object): object | undefined =>
    port.kind === "terminal" ? make() : undefined;
  return {
    "wasi:cli/environment": {
      getArguments: () => [...host.args],
      getEnvironment: () => Object.entries(host.env),
      initialCwd: () => host.cwd,
    },
    "wasi:cli/exit": {
      exit(status: { readonly tag: "ok" | "err" }): never {
        throw new ProcExit(status.tag === "ok" ? 0 : 1);
      },
      exitWithCode(code: number): never {
        throw new ProcExit(code & 0xff);
      },
    },
    "wasi:cli/stdin": { getStdin: () => new InputStream(host, host.stdin) },
    "wasi:cli/stdout": { getStdout: () => new OutputStream(host, host.stdout) },
    "wasi:cli/stderr": { getStderr: () => new OutputStream(host, host.stderr) },
    "wasi:cli/terminal-input": { TerminalInput },
    "wasi:cli/terminal-output": { TerminalOutput },
    "wasi:cli/terminal-stdin": { getTerminalStdin: () => terminal(host.stdin, () => new TerminalInput()) },
    "wasi:cli/terminal-stdout": { getTerminalStdout: () => terminal(host.stdout, () => new TerminalOutput()) },
    "wasi:cli/terminal-stderr": { getTerminalStderr: () => terminal(host.stderr, () => new TerminalOutput()) },
  };
}

/** wasi:clocks/*. */
export function clockInterfaces(host: ComponentHost): Record<string, Interface> {
  return {
    "wasi:clocks/monotonic-clock": {
      now: () => host.clock.monotonicNs(),
      resolution: () => RESOLUTION_NS,
      subscribeInstant: (when: bigint): Pollable => timePollable(host, when),
      subscribeDuration: (ns: bigint): Pollable => timePollable(host, host.clock.monotonicNs() + ns),
    },
    "wasi:clocks/wall-clock": {
      now() {
        const ns = host.clock.realtimeNs();
        return { seconds: ns / NS_PER_SEC, nanoseconds: Number(ns % NS_PER_SEC) };
      },
      resolution: () => ({ seconds: 0n, nanoseconds: Number(RESOLUTION_NS) }),
    },
  };
}

/** Most bytes of one call. */
const MAX_RANDOM = 1024 * 1024;

function random(length: bigint): Uint8Array {
  if (length > BigInt(MAX_RANDOM)) throw new Error("too many random bytes in one call");
  const out = new Uint8Array(Number(length));
  randomBytes(out);
  return out;
}

function random64(): bigint {
  return new DataView(random(8n).buffer).getBigUint64(0);
}

/** wasi:random/*; the insecure ones are as good as the other. */
export const RANDOM_INTERFACES: Record<string, Interface> = {
  "wasi:random/random": { getRandomBytes: random, getRandomU64: random64 },
  "wasi:random/insecure": { getInsecureRandomBytes: random, getInsecureRandomU64: random64 },
  "wasi:random/insecure-seed": { insecureSeed: () => [random64(), random64()] },
};
