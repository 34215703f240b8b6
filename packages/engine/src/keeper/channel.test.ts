import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ask, listen } from "./channel.ts";
import { keeperDir } from "./dir.ts";

let root: string;
beforeEach(() => {
  // Deeper than a unix address is long.
  root = join(mkdtempSync(join(tmpdir(), "lap-channel-")), "d".repeat(120));
});
afterEach(() => {
  rmSync(join(root, ".."), { recursive: true, force: true });
});

it("answers each question on its own", async () => {
  await using _listening = await listen(root, (line) => Promise.resolve(line.toUpperCase()));
  const lines = ["one", "two", "three"];
  expect(await Promise.all(lines.map((line) => ask(root, line)))).toEqual(["ONE", "TWO", "THREE"]);
});

it("says undefined when nobody listens", async () => {
  expect(await ask(root, "anyone")).toBeUndefined();
});

it("takes the place of one that was killed, and goes with its socket", async () => {
  const first = await listen(root, () => Promise.resolve("first"));
  {
    await using _second = await listen(root, () => Promise.resolve("second"));
    expect(await ask(root, "who")).toBe("second");
  }
  await first[Symbol.asyncDispose]();
  expect(existsSync(join(keeperDir(root), "socket"))).toBe(false);
});

it("hangs up on who talks without end", async () => {
  await using _listening = await listen(root, () => Promise.resolve("never"));
  process.chdir(keeperDir(root));
  const socket = createConnection("socket");
  socket.on("error", () => {}); // a reset is a way of hanging up
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.write("x".repeat(10_000));
  socket.resume();
  await closed;
  process.chdir(tmpdir());
});
