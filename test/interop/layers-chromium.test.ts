// The package in a real browser: headless Chromium loads a bundle, opens an image archive over HTTP on loopback, browses it, changes a
// file, commits and saves, with nothing of Node and no disk.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { describe, expect, it } from "vitest";
import { filesLayer, layerTar, openImageStore } from "@lapstrake/layers";
import { openMemDir } from "@lapstrake/layers/memfs";
import { nodePorts } from "@lapstrake/layers/node";

function chromium(): string | undefined {
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    try {
      return execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
    } catch (error) {
      if ((error as { status?: number }).status === undefined) throw error;
    }
  }
  return undefined;
}

const browser = chromium();

const PAGE = `
import { UnionFs, dirFsOf, layerTar, nodeFs, openImageStore } from "@lapstrake/layers";
import { webPorts } from "@lapstrake/layers/web";
const report = (value) => fetch("/result", { method: "POST", body: JSON.stringify(value) });
try {
  const store = openImageStore(dirFsOf(UnionFs.create([])), webPorts);
  const response = await fetch("/image.tar");
  await store.load({ kind: "stream", stream: response.body });
  const image = store.resolve("app:1");
  const union = UnionFs.create(await store.loadTrees(image));
  const fs = nodeFs(union);
  const text = fs.readFileSync("/etc/os-release", "utf8");
  fs.writeFileSync("/etc/new", "from the browser");
  const made = await store.commit({ base: image, layer: layerTar(union.upperTree()), created: "2026-01-01T00:00:00Z" });
  let size = 0;
  for await (const chunk of store.save([made.id])) size += chunk.length;
  await report({ id: image.id, text, names: fs.readdirSync("/"), changes: union.changes(), layers: made.layers.length, saved: size > 0, node: typeof process });
} catch (error) {
  await report({ error: String(error.stack ?? error) });
}
`;

async function bundle(folder: string): Promise<string> {
  const entry = join(folder, "page.js");
  writeFileSync(entry, PAGE);
  const layers = (path: string): string => fileURLToPath(new URL(`../../packages/layers/src/${path}`, import.meta.url));
  const built = await rolldown({
    input: entry,
    platform: "browser",
    resolve: {
      conditionNames: ["@lapstrake/source", "browser", "import"],
      alias: { "@lapstrake/layers/web": layers("web/index.ts"), "@lapstrake/layers": layers("index.ts") },
    },
  });
  const { output } = await built.generate({ format: "esm" });
  return output[0].code;
}

describe.skipIf(browser === undefined)("headless Chromium (chromium)", () => {
  it("opens an image, browses and changes it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "lap-chromium-"));
    const store = openImageStore(openMemDir(), nodePorts);
    const image = await store.commit({ layer: layerTar(filesLayer({ "etc/os-release": "NAME=lap", "bin/sh": "#!" })) });
    store.tag(image.id, "app:1");
    const archive: Uint8Array[] = [];
    for await (const chunk of store.save(["app:1"])) archive.push(chunk);
    const code = await bundle(folder);
    expect(code).not.toMatch(/from ["']node:/);

    const { promise, resolve } = Promise.withResolvers<unknown>();
    const server = createServer((request: IncomingMessage, response: ServerResponse) => {
      if (request.url === "/result") {
        const parts: Buffer[] = [];
        request.on("data", (part: Buffer) => parts.push(part));
        request.on("end", () => resolve(JSON.parse(Buffer.concat(parts).toString())));
        response.end();
      } else if (request.url === "/image.tar") response.end(Buffer.concat(archive));
      else if (request.url === "/page.mjs") response.setHeader("content-type", "text/javascript").end(code);
      else response.setHeader("content-type", "text/html").end('<script type="module" src="/page.mjs"></script>');
    });
    await new Promise<void>((ready) => void server.listen(0, "127.0.0.1", ready));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const flags = [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--no-first-run",
      "--disable-background-networking",
    ];
    const child = spawn(browser!, [...flags, `--user-data-dir=${join(folder, "profile")}`, url], {
      stdio: "ignore",
      detached: true,
    });
    try {
      const timeout = setTimeout(() => resolve({ error: "no answer from the browser in 60 s" }), 60_000);
      const result = await promise;
      clearTimeout(timeout);
      expect(result).toMatchObject({
        id: image.id,
        text: "NAME=lap",
        names: ["bin", "etc"],
        changes: [
          { kind: "C", path: "/etc" },
          { kind: "A", path: "/etc/new" },
        ],
        layers: 2,
        saved: true,
        node: "undefined",
      });
    } finally {
      // Its own process group: the browser's helpers go with it.
      process.kill(-child.pid!, "SIGKILL");
      await new Promise((gone) => child.once("close", gone));
      server.closeAllConnections();
      server.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  }, 120_000);
});
