// The API socket of slirp4netns(1): one request of JSON a connection, one answer.
import { closeSync, constants, openSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { LapError } from "@lapstrake/base";

const TIMEOUT_MS = 5_000;

interface Answer {
  readonly return?: object;
  readonly error?: { readonly desc?: string };
}

/** Asks the process whose socket is `name` in `dir`; throws `ERR_LAP_USER_NETWORK` with its words. */
export async function askSlirp(dir: string, name: string, execute: string, args: object): Promise<void> {
  // Through a descriptor: sun_path holds 108 bytes.
  const fd = openSync(dir, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const text = await exchange(join(`/proc/self/fd/${fd}`, name), JSON.stringify({ execute, arguments: args }));
    const { error } = JSON.parse(text) as Answer;
    if (error !== undefined) throw refused(error.desc ?? text);
  } finally {
    closeSync(fd);
  }
}

function refused(text: string): LapError {
  return new LapError("unavailable", "ERR_LAP_USER_NETWORK", `slirp4netns refuses: ${text}`);
}

function exchange(path: string, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let text = "";
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(refused("no answer")));
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => (text += chunk));
    socket.once("connect", () => socket.end(request));
    socket.once("end", () => resolve(text));
    socket.once("error", reject);
  });
}
