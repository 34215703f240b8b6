// start, state, kill, delete, pause, resume: one verb each over a kept container.
import { LapError } from "@lapstrake/base";
import { parseSignal, signalProcess } from "@lapstrake/core";
import { NO_FLAGS, type Command } from "../command.ts";
import { isOn, onlyWord } from "../flags.ts";
import { deleteContainer, setFrozen, startContainer } from "../lifecycle.ts";
import { processesOf } from "../processes.ts";
import { listAll, load, loadSpec, requireStatus, sharesPids, stateOf, statusOf, forget } from "../state.ts";

const SIGKILL = 9;

export const start: Command = {
  table: NO_FLAGS,
  async run(context, parsed) {
    await startContainer(context, load(context.root, onlyWord(parsed, "the container's id")));
    return 0;
  },
};

export const state: Command = {
  table: NO_FLAGS,
  run(context, parsed) {
    const kept = load(context.root, onlyWord(parsed, "the container's id"));
    const document = { ...stateOf(kept, statusOf(context.root, kept)), created: kept.created, owner: "" };
    process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
    return 0;
  },
};

function signalOf(word: string | undefined): number {
  const signal = word === undefined ? 15 : word === "0" ? 0 : parseSignal(word);
  if (signal !== undefined) return signal;
  throw new LapError("invalidArgument", "ERR_LAP_USAGE", `unknown signal ${JSON.stringify(word)}`);
}

export const kill: Command = {
  table: { flags: { all: "switch", regex: "switch" }, short: { a: "all", r: "regex" } },
  run(context, parsed) {
    const [id, word, ...more] = parsed.words;
    if (id === undefined || more.length > 0)
      throw new LapError("invalidArgument", "ERR_LAP_USAGE", "kill needs an id and at most one signal");
    const signal = signalOf(word);
    const kept = load(context.root, id);
    const isShared = sharesPids(loadSpec(context.root, id));
    // Without a pid namespace of its own the others would outlive the first process.
    if (isOn(parsed, "all") || (signal === SIGKILL && isShared)) {
      for (const pid of processesOf(kept)) signalProcess(pid, undefined, signal);
      return 0;
    }
    if (statusOf(context.root, kept) === "stopped") {
      throw new LapError("failedPrecondition", "ERR_LAP_STATE", "container not running");
    }
    signalProcess(kept.pid, kept.pidStartTime, signal);
    return 0;
  },
};

export const remove: Command = {
  table: { flags: { force: "switch", regex: "switch" }, short: { f: "force", r: "regex" } },
  async run(context, parsed) {
    const word = onlyWord(parsed, "the container's id");
    const isForced = isOn(parsed, "force");
    if (isOn(parsed, "regex")) {
      const pattern = new RegExp(word);
      for (const kept of listAll(context.root))
        if (pattern.test(kept.id)) await deleteContainer(context, kept, isForced);
      return 0;
    }
    try {
      await deleteContainer(context, load(context.root, word), isForced);
    } catch (error) {
      // containerd's shim deletes by force what may be gone already.
      if (!isForced || !(error instanceof LapError) || error.code !== "ERR_LAP_NO_CONTAINER") throw error;
      // What a delete that was killed left.
      forget(context.root, word);
    }
    return 0;
  },
};

export const pause: Command = {
  table: NO_FLAGS,
  run(context, parsed) {
    const kept = load(context.root, onlyWord(parsed, "the container's id"));
    requireStatus(context.root, kept, ["running", "created"], "pause");
    setFrozen(kept, true);
    return 0;
  },
};

export const resume: Command = {
  table: NO_FLAGS,
  run(context, parsed) {
    const kept = load(context.root, onlyWord(parsed, "the container's id"));
    requireStatus(context.root, kept, ["paused"], "resume");
    setFrozen(kept, false);
    return 0;
  },
};
