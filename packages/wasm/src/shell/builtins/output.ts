// Output of builtins, and echo: text to a descriptor of the shell. echo understands -n and the escapes of XSI, as dash's does.
import { toBytes, type ByteString } from "@lapstrake/base";
import { writeObject } from "../../processes/objects.ts";
import type { Shell } from "../shell.ts";
import { unescape } from "./escapes.ts";

/** Writes bytes to descriptor `fd`; throws EBADF when it is closed. */
export function writeText({ state }: Shell, fd: number, text: ByteString): void {
  writeObject(state.fs, state.fd(fd), toBytes(text));
}

/** `echo [-n] word…` */
export function echo(shell: Shell, args: readonly ByteString[]): number {
  const noNewline = args[0] === "-n";
  const { text, stop } = unescape((noNewline ? args.slice(1) : args).join(" "));
  writeText(shell, 1, noNewline || stop ? text : `${text}\n`);
  return 0;
}
