// `system check [--repair]`: walks everything the store and the machine hold for containers, in the order in which one thing is
// mended by another: containers before their names, what uses layers before the layers.
import type { EngineContext } from "../context.ts";
import { containerProblems, nameProblems, trashProblems } from "./containers.ts";
import { frozenProblems, holderProblems } from "./frozen.ts";
import { imageFindings, layerProblems } from "./images.ts";
import { cgroupProblems, networkProblems } from "./machine.ts";
import { loopProblems, mountProblems } from "./mounts.ts";
import { MIN_AGE_MS, type CheckOptions, type Finding, type Problem } from "./problem.ts";
import { networkRecordProblems } from "./networks.ts";
import { volumeProblems } from "./volumes.ts";

export type { CheckOptions, Finding, ProblemKind } from "./problem.ts";

type Checker = (context: EngineContext, minAgeMs: number) => Problem[] | Promise<Problem[]>;

const CHECKERS: readonly Checker[] = [
  mountProblems,
  containerProblems,
  holderProblems,
  nameProblems,
  networkRecordProblems,
  networkProblems,
  cgroupProblems,
  loopProblems,
  volumeProblems,
  layerProblems,
  frozenProblems,
  trashProblems,
];

/** Everything that is not as it should be; with `repair`, what can be mended is. Nothing else may use the store meanwhile. */
export async function checkEngine(
  engine: { readonly context: EngineContext },
  options: CheckOptions = {},
): Promise<Finding[]> {
  const { context } = engine;
  const findings = await imageFindings(context, options);
  for (const checker of CHECKERS) {
    for (const { kind, subject, text, repair } of await checker(context, options.minAgeMs ?? MIN_AGE_MS)) {
      const mends = options.repair === true && repair !== undefined;
      if (mends) await repair();
      findings.push({ kind, subject, text, repaired: mends });
    }
  }
  return findings;
}
