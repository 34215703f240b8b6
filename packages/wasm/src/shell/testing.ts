// Test helper: a script in an empty filesystem (or one given), its output as text and its status.
import { fromBytes, toByteString } from "@lapstrake/base";
import { UnionFs } from "@lapstrake/layers";
import { bytesInput, chunkOutput } from "../io/buffers.ts";
import { stdioObjects } from "../processes/objects.ts";
import type { ShellPort } from "./port.ts";
import { runShell } from "./run-shell.ts";

/** What a script did. */
export interface ShellResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

/** Runs `script` with arguments; programs fail with 127 unless `options.port` spawns them. */
export function sh(
  script: string,
  options: {
    args?: readonly string[];
    stdin?: string;
    fs?: UnionFs;
    spawn?: ShellPort["spawn"];
    env?: readonly string[];
  } = {},
): ShellResult {
  const out: Uint8Array[] = [];
  const err: Uint8Array[] = [];
  const stdin = bytesInput(new TextEncoder().encode(options.stdin ?? ""));
  const status = runShell({
    port: { fs: options.fs ?? UnionFs.create([]), spawn: options.spawn ?? (() => 127) },
    argv: ["sh", "-c", script, "sh", ...(options.args ?? [])].map(toByteString),
    env: options.env ?? ["HOME=/root"],
    cwd: "/",
    fds: stdioObjects(
      stdin,
      chunkOutput((chunk) => out.push(chunk)),
      chunkOutput((chunk) => err.push(chunk)),
    ),
  });
  return { stdout: text(out), stderr: text(err), status };
}

function text(chunks: readonly Uint8Array[]): string {
  return chunks.map((chunk) => fromBytes(chunk)).join("");
}
