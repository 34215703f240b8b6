// runWasm in a browser: the packages bundled for it, a guest in the page, no server but the one that hands out files.
// Skips, by name, where no Chromium is installed.
import { execFile } from "node:child_process";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { parseWat } from "@lapstrake/wasm/component";
import { rolldown } from "rolldown";
import { expect, it } from "vitest";
import { commandExists, titleUnless } from "../support/facts.ts";

const lacksBrowser = !commandExists("chromium");

/** The page's script and its chunks by file name; what needs Node stays outside and is never asked for. */
async function scripts(): Promise<Map<string, string>> {
  await using build = await rolldown({
    input: { page: join(import.meta.dirname, "../support/wasm-page.ts") },
    platform: "browser",
    external: [/^node:/, /^@bytecodealliance\//],
    resolve: { conditionNames: ["@lapstrake/source", "import", "default"] },
  });
  const { output } = await build.generate({
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "[name]-[hash].js",
  });
  return new Map(output.flatMap((file) => (file.type === "chunk" ? [[file.fileName, file.code] as const] : [])));
}

async function serve(files: ReadonlyMap<string, string>, guest: string): Promise<Server> {
  const html = `<!doctype html><body></body><script>globalThis.guest="${guest}"</script><script type="module" src="/page.js"></script>`;
  const server = createServer((request, response) => {
    const code = files.get((request.url ?? "/").slice(1));
    response.setHeader("content-type", code === undefined ? "text/html" : "text/javascript");
    response.end(code ?? html);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

it.skipIf(lacksBrowser)(titleUnless(lacksBrowser, "chromium", "runs a guest in a page"), async () => {
  const guest = Buffer.from(await parseWat(readFileSync(new URL("../../wasm/wat/hello.wat", import.meta.url), "utf8")));
  const files = await scripts();
  expect(files.get("page.js")).not.toMatch(/^import .*"node:/m);
  const server = await serve(files, guest.toString("base64"));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=10000", "--dump-dom", url];
    const { stdout } = await promisify(execFile)("chromium", flags, { timeout: 60_000 });
    const body =
      /<body>([^]*?)<\/body>|<body>([^<]*)/
        .exec(stdout)
        ?.slice(1)
        .find((text) => text !== undefined) ?? "";
    const shown: unknown = JSON.parse(body.replaceAll(/<script[^]*/g, ""));
    expect(shown).toEqual({ exitCode: 0, stdout: "welcome\nmotd\nnew\n", changes: ["/motd", "/new"] });
  } finally {
    server.close();
  }
});
