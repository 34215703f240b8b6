// Bundle -> plan -> launch: the last stages of a start, each of which can be shown (`--debug`).
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  compile,
  formatPlan,
  hostFacts,
  launch,
  type Bundle,
  type LaunchExtras,
  type LaunchOptions,
  type Launched,
} from "@lapstrake/core";
import type { EngineContext } from "../context.ts";
import { forgetOom } from "../events/oom.ts";
import { dirOf } from "../state/containers.ts";
import type { ContainerRecord } from "../state/record.ts";
import { launchOptions, logPath, SPEC_FILE, type StartOptions } from "./bundle.ts";
import { REAPED_MARK } from "./reap.ts";

/** Stages of a start that can be shown. */
export const DEBUG_STAGES = ["spec", "plan", "facts"] as const;
export type DebugStage = (typeof DEBUG_STAGES)[number];

/** Receives a stage's text. */
export interface DebugSink {
  readonly stages: ReadonlySet<DebugStage>;
  show(stage: DebugStage, text: string): void;
}

/** Launches a bundle; resolves when its program runs. `beside` is what happens meanwhile in this process. Throws launch errors. */
export async function launchBundle(
  context: EngineContext,
  record: ContainerRecord,
  unconfined: Bundle,
  options: StartOptions,
  debug: DebugSink | undefined,
  beside?: LaunchExtras,
): Promise<Launched> {
  const facts = hostFacts();
  const isConfined = facts.apparmor && record.kind !== "wasm";
  const others = record.runtime === undefined ? undefined : await import("../sandbox/other-runtime-start.ts");
  const confined = isConfined ? (await import("../sandbox/apparmor.ts")).confined(unconfined, record) : unconfined;
  const bundle = others?.otherBundle(confined, context.logger) ?? confined;
  const orders = {
    ...launchOptions(context.paths, record, options, context.reapArgv),
    ...(await chosenLog(context, record, options)),
  };
  const supervision = beside === undefined ? orders : { ...orders, awaitCaller: true };
  const plan = others?.planOther(record, bundle, facts, supervision) ?? compile(bundle, facts, supervision);
  if (debug?.stages.has("facts") === true) debug.show("facts", JSON.stringify(facts, undefined, 2));
  if (debug?.stages.has("spec") === true) debug.show("spec", JSON.stringify(bundle.spec, undefined, 2));
  if (debug?.stages.has("plan") === true) debug.show("plan", formatPlan(plan));
  for (const warning of plan.warnings) context.logger.warn(warning);
  const dir = dirOf(context.paths, record);
  rmSync(join(dir, REAPED_MARK), { force: true });
  forgetOom(dir);
  writeFileSync(join(dir, SPEC_FILE), JSON.stringify(bundle.spec));
  return others === undefined ? launch(plan, beside ?? {}) : others.launchOther(record, dir, plan, beside ?? {});
}

/** Only who chooses a log needs to know which there are. */
async function chosenLog(
  { paths }: EngineContext,
  record: ContainerRecord,
  options: StartOptions,
): Promise<Pick<LaunchOptions, "log"> | undefined> {
  const { log } = record.request;
  if (log === undefined || options.log === false) return undefined;
  const dir = dirOf(paths, record);
  const orders = (await import("./log-config.ts")).logOrders(record, log, logPath(dir));
  (await import("../logs/duty-file.ts")).writeLogDuty(dir, log);
  return { log: orders };
}
