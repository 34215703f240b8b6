// The examples of the package's README, run as they stand: each in its own process, with the lines it starts with, against the output
// it shows. The registry example needs docker-registry and port 5000 of loopback, and is skipped by name without them.
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { filesLayer, layerTar, openImageStore, openRegistryClient, TreeNode, type LayerTree } from "@lapstrake/layers";
import { openMemDir } from "@lapstrake/layers/memfs";
import { nodeHttp, nodePorts } from "@lapstrake/layers/node";
import { until } from "../support/until.ts";

const run = promisify(execFile);
const readme = readFileSync(new URL("../../packages/layers/README.md", import.meta.url), "utf8");
const root = fileURLToPath(new URL("../..", import.meta.url));

interface Example {
  readonly title: string;
  readonly kind: string;
  readonly code: string;
  readonly output: string;
}

const prelude = /```ts prelude\n([\s\S]*?)```/.exec(readme)![1]!;
const examples: Example[] = [
  ...readme.matchAll(/\*\*(\d+\. [^*]+)\*\*\n\n```ts ?(\w*)\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/g),
].map(([, title, kind, code, output]) => ({ title: title!, kind: kind!, code: code!, output: output! }));

let folder = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lap-readme-"));
  mkdirSync(join(folder, "registry"));
  const store = openImageStore(openMemDir(), nodePorts);
  const at = (day: number): string => `2026-01-0${day}T00:00:00Z`;
  const base = (name: string): LayerTree =>
    filesLayer({ "etc/os-release": `NAME=${name}`, "etc/motd": "hello", "var/lib/dpkg/status": "Package: zlib1g\n" });
  const one = await store.commit({ layer: layerTar(base("one")), created: at(1) });
  store.tag(one.id, "base:1");
  store.tag((await store.commit({ layer: layerTar(base("two")), created: at(2) })).id, "base:2");
  const change = filesLayer({ "app/main.js": "console.log(1)" });
  change.root.children!.set("etc", new TreeNode({ type: "dir", mode: 0o755, mtimeSec: 1 }, new Map([["motd", null]])));
  store.tag((await store.commit({ base: one, layer: layerTar(change), created: at(3) })).id, "app:1");
  for (const [file, names] of [
    ["base.tar", ["base:1", "base:2"]],
    ["app.tar", ["app:1"]],
  ] as const) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of store.save(names)) chunks.push(chunk);
    writeFileSync(join(folder, file), Buffer.concat(chunks));
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs an example; the file lies in the repository, where packages are found, for as long as it runs. */
async function output({ code, title }: Example): Promise<string> {
  const file = join(root, "test", "contract", `.example-${process.pid}-${Number.parseInt(title, 10)}.ts`);
  writeFileSync(file, `${prelude}\n${code}`);
  try {
    const args = ["--conditions=@lapstrake/source", "--no-warnings", file];
    return (await run(process.execPath, args, { cwd: folder, timeout: 30_000 })).stdout;
  } finally {
    rmSync(file);
  }
}

describe("the examples of packages/layers/README.md", () => {
  it("are ten", () => {
    expect(examples.map(({ title }) => Number.parseInt(title, 10))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it.each(examples.filter(({ kind }) => kind === ""))("$title", async (example) => {
    expect(await output(example)).toBe(example.output);
  });

  it.for(examples.filter(({ kind }) => kind === "registry"))(
    "$title (docker-registry, port 5000)",
    async (example, { skip }) => {
      const registry = await startRegistry();
      if (registry === undefined) return skip("needs command:docker-registry, port 5000 of loopback");
      try {
        const store = openImageStore(openMemDir(), nodePorts);
        const bytes = readFileSync(join(folder, "base.tar"));
        await store.load({ kind: "stream", stream: chunks(bytes) });
        const client = openRegistryClient({ http: nodeHttp(), ...nodePorts });
        await client.push(store, "base:1", { reference: "localhost:5000/base:1" });
        expect(await output(example)).toBe(example.output);
      } finally {
        registry.kill();
      }
    },
  );
});

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(bytes);
}

/** docker-registry on 127.0.0.1:5000; undefined when it is not installed or the port is taken. */
async function startRegistry(): Promise<ChildProcess | undefined> {
  if (!(await portFree())) return undefined;
  const config = join(folder, "registry.yml");
  const storage = `storage: { filesystem: { rootdirectory: ${join(folder, "registry")} } }`;
  writeFileSync(config, `version: 0.1\nlog: { level: error }\n${storage}\nhttp: { addr: "127.0.0.1:5000" }\n`);
  const child = spawn("docker-registry", ["serve", config], { stdio: "ignore" });
  const failed = new Promise<boolean>((resolve) => child.once("error", () => resolve(true)));
  try {
    await until("docker-registry answers or is not there", () => Promise.race([failed, answers()]));
    return child.pid === undefined ? undefined : child;
  } catch (error) {
    child.kill();
    throw error;
  }
}

function answers(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(5000, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function portFree(): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(5000, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
