// create: everything up to the gate (runtime.md "create").
import type { Command } from "../command.ts";
import { createContainer } from "../create.ts";
import { onlyWord, type FlagTable } from "../flags.ts";

/** Flags that create and run share; those of other runtimes' command lines that ask for what we do anyway are accepted. */
export const CREATE_FLAGS: FlagTable = {
  flags: {
    bundle: "value",
    config: "value",
    "console-socket": "value",
    "pidfd-socket": "value",
    "pid-file": "value",
    "preserve-fds": "value",
    "no-new-keyring": "switch",
    "no-subreaper": "switch",
    // For roots that cannot be pivoted away from; ours can, or the start fails and says so.
    "no-pivot": "switch",
  },
  short: { b: "bundle", f: "config" },
};

export const create: Command = {
  table: CREATE_FLAGS,
  async run(context, parsed) {
    const id = onlyWord(parsed, "the container's id");
    await createContainer(context, id, parsed, { gate: true, supervised: false, relayPty: false });
    return 0;
  },
};
