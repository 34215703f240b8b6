// Docker's credential helpers: `docker-credential-NAME get|store|erase`, a protocol of lines and JSON over standard input and output.
import { spawn } from "node:child_process";
import { LapError } from "@lapstrake/base";
import type { HelperPort } from "../registry/docker-config.ts";

const TIMEOUT_MS = 60_000;
const MAX_OUTPUT_BYTES: number = 256 * 1024;
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

function helperError(name: string, why: string, cause?: unknown): LapError {
  return new LapError("failedPrecondition", "ERR_LAP_CREDENTIAL_HELPER", `credential helper "${name}": ${why}`, {
    cause,
    hint: `check that docker-credential-${name} is installed and works, or remove it from the registry configuration`,
  });
}

/** Runs helpers found on PATH. */
export const nodeHelpers: HelperPort = {
  run(name, verb, input): Promise<{ readonly status: number; readonly output: string }> {
    if (!NAME.test(name)) return Promise.reject(helperError(name.slice(0, 100), "that is not a helper's name"));
    return execute(name, verb, input);
  },
};

function execute(name: string, verb: string, input: string): Promise<{ status: number; output: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; output: string }>();
  const child = spawn(`docker-credential-${name}`, [verb], { stdio: ["pipe", "pipe", "ignore"], timeout: TIMEOUT_MS });
  const chunks: Buffer[] = [];
  let length = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length <= MAX_OUTPUT_BYTES) chunks.push(chunk);
    else child.kill("SIGKILL");
  });
  child.once("error", (error) => reject(helperError(name, error.message, error)));
  child.once("close", (status, signal) => {
    if (length > MAX_OUTPUT_BYTES) reject(helperError(name, "it says too much"));
    else if (status === null) reject(helperError(name, `it was ended by ${signal ?? "a signal"}`));
    else resolve({ status, output: Buffer.concat(chunks).toString("utf8") });
  });
  child.stdin.on("error", () => child.stdin.destroy()); // a helper that does not read its input still answers by its status
  child.stdin.end(input);
  return promise;
}
