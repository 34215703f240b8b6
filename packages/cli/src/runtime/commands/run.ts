// run: create, start and, unless detached, wait and delete.
import type { Command } from "../command.ts";
import { createContainer } from "../create.ts";
import { isOn, onlyWord } from "../flags.ts";
import { deleteContainer, poststart, removeContainer, startContainer } from "../lifecycle.ts";
import { relayTerminal, waitForExit } from "../relay.ts";
import { CREATE_FLAGS } from "./create.ts";

export const run: Command = {
  table: {
    ...CREATE_FLAGS,
    flags: { ...CREATE_FLAGS.flags, detach: "switch", keep: "switch" },
    short: { ...CREATE_FLAGS.short, d: "detach" },
  },
  async run(context, parsed) {
    const id = onlyWord(parsed, "the container's id");
    if (isOn(parsed, "detach")) {
      const { kept } = await createContainer(context, id, parsed, { gate: true, supervised: false, relayPty: false });
      try {
        await startContainer(context, kept);
      } catch (error) {
        await deleteContainer(context, kept, true);
        throw error;
      }
      return 0;
    }
    const made = await createContainer(context, id, parsed, { gate: false, supervised: true, relayPty: true });
    try {
      await poststart(made.spec, made.kept);
    } catch (error) {
      made.launched.attachment?.detach();
      await removeContainer(context, made.kept);
      throw error;
    }
    const attachment = made.launched.attachment!;
    const isRelayed = made.spec.process?.terminal === true && !parsed.values.has("console-socket");
    const exitCode = await (isRelayed ? relayTerminal(attachment) : waitForExit(attachment));
    if (!isOn(parsed, "keep")) await removeContainer(context, made.kept);
    attachment.reaped();
    return exitCode;
  },
};
