// One GET to a server inside a box, over a connection made in the box's own network: the port need not be published.
import { errorCode } from "@lapstrake/base";
import { request } from "node:http";
import type { Socket } from "node:net";
import type { Box } from "../types.ts";

const ANSWER_MS = 5_000;

/** True when it answers with `status`, or with any below 400; `saw` is told what else there was. */
export async function answersHttp(
  box: Box,
  { http, port, status }: { readonly http: string; readonly port: number; readonly status?: number },
  signal: AbortSignal,
  saw: (what: string) => void,
): Promise<boolean> {
  let socket: Socket;
  try {
    socket = await box.connect(port);
  } catch (error) {
    // Nobody listens yet.
    saw(errorCode(error) ?? String(error));
    return false;
  }
  const got = await statusOf(socket, http, signal);
  saw(got === undefined ? "no answer" : `an answer with status ${got}`);
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
