// What a command costs before it does anything: `lap` on an empty store against bare Node and the docker client.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execPath } from "node:process";
import { nativePart } from "../test/support/native.ts";
import { commandVariant, which } from "./commands.ts";
import type { Variant } from "./harness.ts";
import type { OpenSuite } from "./main.ts";

/** Makes an empty store in a temporary folder. */
export async function open(): Promise<OpenSuite> {
  const root = mkdtempSync(join(tmpdir(), "lap-bench-"));
  const command = nativePart("lap");
  const missing = existsSync(command) ? undefined : "native/out has no lap";
  const lap = (name: string, ...args: string[]): Variant =>
    commandVariant(name, command, () => ["--root", join(root, "store"), ...args], missing);
  const variants = [
    commandVariant("node -e 0", execPath, () => ["-e", "0"], undefined),
    lap("lap --version", "--version"),
    lap("lap run --help", "run", "--help"),
    lap("lap ps", "ps"),
    lap("lap ps -a -q", "ps", "-a", "-q"),
    commandVariant("docker --version", which("docker"), () => ["--version"], undefined),
    commandVariant("runc --version", which("runc"), () => ["--version"], undefined),
  ];
  const thresholds = [{ subject: "lap ps -a -q", reference: "node -e 0", atMost: 1.3 }];
  const suite = { title: "commands without work", reference: "node -e 0", rounds: 20, warmup: 2, variants, thresholds };
  return { suite, [Symbol.asyncDispose]: async () => rmSync(root, { recursive: true, force: true }) };
}
