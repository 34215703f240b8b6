import { expect, it } from "vitest";
import { interfaceBytes } from "./usage.ts";

const HEAD =
  "Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n";
const line = (name: string, received: number, sent: number): string =>
  `${name}: ${received} 1 0 0 0 0 0 0 ${sent} 1 0 0 0 0 0 0\n`;

it("adds up every interface but loopback", () => {
  const text = HEAD + line("    lo", 500, 500) + line("  eth0", 700, 30) + line("eth1", 1, 2);
  expect(interfaceBytes(text)).toEqual({ receivedBytes: 701, sentBytes: 32 });
});

it("knows nothing of a process that is gone", () => {
  expect(interfaceBytes("")).toEqual({ receivedBytes: 0, sentBytes: 0 });
});
