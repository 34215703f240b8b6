// What a network adds to `lap run --rm` of /bin/true on the host image: none, the default bridge, with a published port, a network with
// names. In a network namespace that stands for the machine's.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { raiseLoopback } from "@lapstrake/core";
import { openSpace } from "../test/kernel/core-net-spaces.ts";
import { nativePart } from "../test/support/native.ts";
import { commandVariant, prepare } from "./commands.ts";
import type { Variant } from "./harness.ts";
import type { OpenSuite } from "./main.ts";

/** Opens the suite: a store and a namespace of its own. */
export async function open(): Promise<OpenSuite> {
  const host = await openSpace();
  raiseLoopback({ fd: host.fd });
  const folder = mkdtempSync(join(tmpdir(), "lap-bench-"));
  const before = [`--net=/proc/${host.pid}/ns/net`, nativePart("lap"), "--root", join(folder, "store")];
  const lap = (...args: string[]): string => prepare("nsenter", [...before, ...args]);
  const variant = (name: string, ...flags: string[]): Variant =>
    commandVariant(name, "nsenter", () => [...before, "run", "--rm", ...flags, "host", "/bin/true"], undefined);
  lap("network", "create", "names");
  // A member that stays keeps the keeper.
  lap("run", "-d", "--name", "member", "--network", "names", "host", "sleep", "3600");
  return {
    suite: {
      title: "network: run --rm of /bin/true",
      reference: "none",
      rounds: 30,
      warmup: 3,
      variants: [
        variant("none", "--network", "none"),
        variant("bridge"),
        variant("published port", "-p", "18080:80"),
        variant("names", "--network", "names"),
      ],
      thresholds: [
        { subject: "bridge", reference: "none", atMost: 1.25 },
        { subject: "published port", reference: "none", atMost: 1.6 },
      ],
    },
    [Symbol.asyncDispose]: () => {
      lap("rm", "-f", "member");
      lap("network", "prune", "-f");
      rmSync(folder, { recursive: true, force: true });
      host[Symbol.dispose]();
      return Promise.resolve();
    },
  };
}
