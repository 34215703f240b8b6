// update: new limits for a running container, from a resources document or from runc's flags.
import { readFileSync } from "node:fs";
import { parseJsonObject, parseSize, type ResourcesSpec } from "@lapstrake/base";
import { updateResources, validateResources } from "@lapstrake/core";
import { readBounded } from "../bundle.ts";
import type { Command } from "../command.ts";
import { numberOf, onlyWord, value, type Parsed } from "../flags.ts";
import { load, loadSpec, requireStatus } from "../state.ts";

const MAX_BYTES = 1024 * 1024;

const CPU = {
  "cpu-period": "period",
  "cpu-quota": "quota",
  "cpu-burst": "burst",
  "cpu-rt-period": "realtimePeriod",
  "cpu-rt-runtime": "realtimeRuntime",
  "cpu-share": "shares",
  "cpu-shares": "shares",
  "cpu-idle": "idle",
} as const;
const SETS = { "cpuset-cpus": "cpus", "cpuset-mems": "mems" } as const;
const MEMORY = { memory: "limit", "memory-reservation": "reservation", "memory-swap": "swap" } as const;

function bytes(text: string): number {
  return text.startsWith("-") ? Number(text) : parseSize(text);
}

function fromFlags(parsed: Parsed): ResourcesSpec {
  const cpu: Record<string, number | string> = {};
  const memory: Record<string, number> = {};
  for (const [flag, field] of Object.entries(CPU)) {
    const given = numberOf(parsed, flag);
    if (given !== undefined) cpu[field] = given;
  }
  for (const [flag, field] of Object.entries(SETS)) {
    const given = value(parsed, flag);
    if (given !== undefined) cpu[field] = given;
  }
  for (const [flag, field] of Object.entries(MEMORY)) {
    const given = value(parsed, flag);
    if (given !== undefined) memory[field] = bytes(given);
  }
  // No limit of memory is none of memory and swap together: on v1 that one must not be below.
  if (memory["limit"] === -1) memory["swap"] ??= -1;
  const pids = numberOf(parsed, "pids-limit");
  const weight = numberOf(parsed, "blkio-weight");
  return {
    ...(Object.keys(cpu).length === 0 ? {} : { cpu }),
    ...(Object.keys(memory).length === 0 ? {} : { memory }),
    ...(pids === undefined ? {} : { pids: { limit: pids } }),
    ...(weight === undefined ? {} : { blockIO: { weight } }),
  };
}

function fromDocument(source: string): ResourcesSpec {
  const text = source === "-" ? readFileSync(0) : readBounded(source);
  return validateResources(parseJsonObject(text, "resources", MAX_BYTES));
}

const FLAGS = [
  ...Object.keys(CPU),
  ...Object.keys(SETS),
  ...Object.keys(MEMORY),
  "pids-limit",
  "blkio-weight",
  "resources",
];

export const update: Command = {
  table: { flags: Object.fromEntries(FLAGS.map((name) => [name, "value" as const])), short: { r: "resources" } },
  run(context, parsed) {
    const kept = load(context.root, onlyWord(parsed, "the container's id"));
    requireStatus(context.root, kept, ["created", "running", "paused"], "update");
    const source = value(parsed, "resources");
    const resources = source === undefined ? fromFlags(parsed) : fromDocument(source);
    updateResources(loadSpec(context.root, kept.id).linux?.cgroupsPath, kept.id, resources);
    return 0;
  },
};
