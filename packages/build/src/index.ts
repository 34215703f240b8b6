// Dockerfile to image. The room's one fixed point today is the port through which a build runs its steps, so that the
// same builder works over memory, the Wasm sandbox or Linux; the engine implements it.
import type { Digest, ExecConfig } from "@lapstrake/base";

/** One RUN step: a program on a stack of layers. */
export interface BuildStep {
  /** Chain ids of the layers beneath, bottom first. */
  readonly chainIds: readonly Digest[];
  readonly args: readonly string[];
  /** Environment, user and directory as the image built so far has them. */
  readonly config: ExecConfig;
}

/** What a step left: its exit code and, when it succeeded, an uncompressed layer tar of its changes. */
export interface BuildStepResult {
  readonly exitCode: number;
  readonly layer: AsyncIterable<Uint8Array> | undefined;
}

/** Runs build steps in a sandbox. Resolves with the exit code; rejects only when the step could not be run at all. */
export interface StepRunner {
  run(step: BuildStep, options: { readonly signal?: AbortSignal }): Promise<BuildStepResult>;
}
