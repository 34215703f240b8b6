// Everything a 0.3 command may import besides 0.2: jco names interfaces without version, so both versions share objects.
import type { GuestOutput } from "../io/ports.ts";
import { Descriptor as Descriptor2 } from "../p2/descriptor.ts";
import { preopensInterface } from "../p2/filesystem.ts";
import type { Interface } from "../p2/host.ts";
import { preview2Imports } from "../p2/imports.ts";
import { Descriptor } from "./descriptor.ts";
import { cliErrorCode } from "./errors.ts";
import { waitUntil, type Preview3Host } from "./host.ts";
import { httpInterfaces } from "./http/imports.ts";
import { socketInterfaces } from "./sockets/imports.ts";
import { readInput, writeStream, type GuestStream, type Outcome } from "./streams.ts";

const NS_PER_SEC = 1_000_000_000n;
const RESOLUTION_NS = 1000n;

/** The import object of one component that may import both 0.2 and 0.3. */
export function preview3Imports(host: Preview3Host): Record<string, Interface> {
  const imports = preview2Imports(host);
  for (const [name, functions] of Object.entries(newer(host, imports))) {
    imports[name] = { ...imports[name], ...functions };
  }
  return imports;
}

function newer(host: Preview3Host, older: Record<string, Interface>): Record<string, Interface> {
  const output = (to: GuestOutput): Interface => ({
    writeViaStream: (data: GuestStream): Promise<Outcome<string>> => writeStream(host, data, to, cliErrorCode),
  });
  return {
    "wasi:cli/environment": { getInitialCwd: () => (host.cwd === "/" ? undefined : host.cwd) },
    "wasi:cli/stdin": { readViaStream: () => readInput(host, host.stdin, cliErrorCode) },
    "wasi:cli/stdout": output(host.stdout),
    "wasi:cli/stderr": output(host.stderr),
    ...clocks(host),
    ...httpInterfaces(host.http),
    ...socketInterfaces(host),
    "wasi:random/insecure-seed": { getInsecureSeed: once(older["wasi:random/insecure-seed"]?.["insecureSeed"]) },
    "wasi:filesystem/types": { Descriptor },
    "wasi:filesystem/preopens": preopens(host),
  };
}

/** 0.3 gives one component the same seed whenever it asks. */
function once(make: unknown): () => unknown {
  let seed: unknown;
  return () => (seed ??= (make as () => unknown)());
}

function clocks(host: Preview3Host): Record<string, Interface> {
  return {
    "wasi:clocks/monotonic-clock": {
      getResolution: () => RESOLUTION_NS,
      waitUntil: (when: bigint) => waitUntil(host, when),
      waitFor: (ns: bigint) => waitUntil(host, host.clock.monotonicNs() + ns),
    },
    "wasi:clocks/system-clock": {
      now() {
        const ns = host.clock.realtimeNs();
        return { seconds: ns / NS_PER_SEC, nanoseconds: Number(ns % NS_PER_SEC) };
      },
      getResolution: () => RESOLUTION_NS,
    },
  };
}

function preopens(host: Preview3Host): Interface {
  const { getDirectories } = preopensInterface(host) as { getDirectories: () => [Descriptor2, string][] };
  return {
    getDirectories: (): [Descriptor, string][] =>
      getDirectories().map(([directory, name]) => [new Descriptor(host, directory, directory.getFlags()), name]),
  };
}
