// The two ways to talk to a running container's supervisor: attached to its streams, or to control it.
import type { Socket } from "node:net";
import { SocketAttachment } from "./attachment.ts";
import { connectSupervisor } from "./connect.ts";
import { SocketControl } from "./control.ts";
import type { Attachment, Control } from "./types.ts";
import { encodeFrame, FRAME, STREAM } from "./wire.ts";

/** Attaches to a running container; throws `ERR_LAP_NOT_RUNNING`. */
export async function attach(
  containerDir: string,
  options: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean },
): Promise<Attachment> {
  const socket = await connectSupervisor(containerDir);
  const streams =
    (options.stdin ? STREAM.stdin : 0) | (options.stdout ? STREAM.stdout : 0) | (options.stderr ? STREAM.stderr : 0);
  const attachment = new SocketAttachment(socket, false);
  socket.write(encodeFrame(FRAME.attach, undefined, streams));
  return attachment;
}

/** A control connection to a running container; throws `ERR_LAP_NOT_RUNNING`. */
export async function control(containerDir: string): Promise<Control> {
  return new SocketControl(await connectSupervisor(containerDir));
}

/** A connection that ends when the supervisor does, and is good for nothing else; throws `ERR_LAP_NOT_RUNNING`. */
export async function watchSupervisor(containerDir: string): Promise<Socket> {
  const socket = await connectSupervisor(containerDir);
  // Whoever closes it first: nobody here minds.
  socket.on("error", () => undefined);
  await new Promise<void>((resolve) => socket.write(encodeFrame(FRAME.watch), () => resolve()));
  return socket;
}
