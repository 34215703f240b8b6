// The official 0.3 programs of wasi:sockets (WebAssembly/wasi-testsuite, branch prod/testsuite-base), on loopback. They stay outside the
// repository: LAPSTRAKE_WASI_TESTSUITE names a checkout.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { UnionFs } from "@lapstrake/layers";
import { chunkOutput, policySockets, type SocketNet, type WasmExit } from "@lapstrake/wasm";
import { runComponent } from "@lapstrake/wasm/component";
import { nodeSockets } from "@lapstrake/wasm/node";
import { afterAll, describe, expect, it } from "vitest";
import { titleUnless } from "../support/facts.ts";

const ROOT = process.env["LAPSTRAKE_WASI_TESTSUITE"] ?? "";
const FOLDER = join(ROOT, "tests/rust/testsuite/wasm32-wasip3");
const PROGRAMS = ROOT === "" || !existsSync(FOLDER) ? [] : programs();

function programs(): string[] {
  const files = readdirSync(FOLDER).filter((name) => name.startsWith("sockets-") && name.endsWith(".wasm"));
  return files.map((name) => name.slice(0, -".wasm".length));
}

const loopback: SocketNet = policySockets(
  {
    allow: ["127.0.0.1", "::1", "192.0.2.1"].map((host) => ({ host, ports: "any", privateAddresses: true })),
    listen: "any",
  },
  nodeSockets,
);

describe.skipIf(PROGRAMS.length === 0)(
  titleUnless(PROGRAMS.length === 0, "env:LAPSTRAKE_WASI_TESTSUITE", "wasi-testsuite 0.3 sockets"),
  () => {
    const cacheDir = mkdtempSync(join(tmpdir(), "lap-p3s-"));
    afterAll(() => rmSync(cacheDir, { recursive: true }));

    async function run(name: string, sockets: SocketNet | undefined, onLine?: (line: string) => void) {
      let out = "";
      const take = chunkOutput((chunk) => {
        out += Buffer.from(chunk).toString();
        if (out.includes("\n")) onLine?.(out.trim());
      });
      const exit: WasmExit = await runComponent({
        fs: UnionFs.create([]),
        component: new Uint8Array(readFileSync(join(FOLDER, `${name}.wasm`))),
        cacheDir,
        args: [name],
        sockets,
        stdout: take,
        stderr: take,
        limits: { timeoutMs: 20_000 },
      });
      return { exit, out };
    }

    it("has its 12 programs", () => {
      expect(PROGRAMS).toHaveLength(12);
    });

    it.each(PROGRAMS.filter((name) => name !== "sockets-echo"))("%s", async (name) => {
      const { exit, out } = await run(name, loopback);
      expect([exit.exitCode, exit.error?.message, out]).toEqual([0, undefined, ""]);
    });

    it("sockets-echo", async () => {
      let answer: Promise<string> | undefined;
      const { exit, out } = await run("sockets-echo", loopback, (line) => {
        if (answer !== undefined) return;
        const client = connect(Number(line.split(":")[1]), "127.0.0.1");
        client.write("Hello, world");
        answer = text(client);
      });
      expect([exit.exitCode, exit.error?.message, await answer], out).toEqual([0, undefined, "Hello, world"]);
    });

    it("without a policy there are no sockets", async () => {
      expect((await run("sockets-tcp-bind", undefined)).exit.exitCode).not.toBe(0);
    });
  },
);
