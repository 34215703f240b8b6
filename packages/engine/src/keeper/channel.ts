// How others reach the keeper: a unix socket in the store, one line asked, one line answered. The path goes through a descriptor of its
// directory, because a store may lie deeper than the 107 bytes that unix(7) gives an address.
import { closeSync, mkdirSync, openSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { keeperDir } from "./dir.ts";

const SOCKET = "socket";
const MAX_LINE = 4096;

/** Makes the folder; idempotent. */
export function makeKeeperDir(root: string): string {
  const dir = keeperDir(root);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return dir;
}

/** Resolves with the first line of a connection; undefined when it ends without one. */
function firstLine(socket: Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      text += chunk;
      const end = text.indexOf("\n");
      if (end >= 0) resolve(text.slice(0, end));
      else if (text.length > MAX_LINE) resolve(undefined);
    });
    // A broken connection is one that said nothing.
    socket.on("error", () => resolve(undefined));
    socket.on("close", () => resolve(undefined));
  });
}

/** Listens; the caller holds the keeper's lock, so an old socket is nobody's. Dispose ends it. */
export async function listen(root: string, answer: (line: string) => Promise<string>): Promise<AsyncDisposable> {
  const dir = makeKeeperDir(root);
  rmSync(join(dir, SOCKET), { force: true });
  const server = createServer((socket) => {
    void firstLine(socket).then(async (line) => {
      if (line === undefined) socket.destroy();
      else socket.end(`${await answer(line)}\n`);
    });
  });
  await bind(server, dir);
  return {
    [Symbol.asyncDispose]: () => {
      rmSync(join(dir, SOCKET), { force: true });
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function bind(server: Server, dir: string): Promise<void> {
  const fd = openSync(dir, "r");
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(`/proc/self/fd/${fd}/${SOCKET}`, resolve);
    });
  } finally {
    closeSync(fd);
  }
}

/** One question; undefined when nobody listens or the keeper died before it answered. Throws for other errors. */
export async function ask(root: string, line: string): Promise<string | undefined> {
  const fd = openSync(makeKeeperDir(root), "r");
  const socket = connect(`/proc/self/fd/${fd}/${SOCKET}`);
  socket.write(`${line}\n`);
  try {
    return await firstLine(socket);
  } finally {
    socket.destroy();
    closeSync(fd);
  }
}
