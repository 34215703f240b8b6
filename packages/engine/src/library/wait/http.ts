// One GET to a server inside a box, over a connection made in the box's own network: the port need not be published.
import { request } from "node:http";
import type { Socket } from "node:net";
import type { Box } from "../types.ts";

const ANSWER_MS = 5_000;

/** True when it answers with `status`, or with any below 400. */
export async function answersHttp(
  box: Box,
  { http, port, status }: { readonly http: string; readonly port: number; readonly status?: number },
  signal: AbortSignal,
): Promise<boolean> {
  let socket: Socket;
  try {
    socket = await box.connect(port);
  } catch {
    // Nobody listens yet.
    return false;
  }
  const got = await statusOf(socket, http, signal);
  return status === undefined ? got !== undefined && got < 400 : got === status;
}

/** Undefined when there was no answer. */
function statusOf(socket: Socket, path: string, signal: AbortSignal): Promise<number | undefined> {
  return new Promise((resolve) => {
    const asked = request({
      path,
      host: "localhost",
      createConnection: () => socket,
      timeout: ANSWER_MS,
      signal,
    });
    const done = (status: number | undefined): void => {
      resolve(status);
      asked.destroy();
      socket.destroy();
    };
    asked.on("response", ({ statusCode }) => done(statusCode));
    asked.on("timeout", () => done(undefined));
    asked.on("error", () => done(undefined));
    asked.end();
  });
}
