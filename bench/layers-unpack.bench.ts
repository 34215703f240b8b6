// The Debian of eleven layers, from archive or layout to directories on disk with both digests verified, store synced: ours, umoci,
// and docker load where its daemon runs.
import { execFileSync } from "node:child_process";
import { createReadStream, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDirFs } from "@lapstrake/core";
import { openImageStore, openSnapshotStore } from "@lapstrake/layers";
import { nodePorts } from "@lapstrake/layers/node";
import { which } from "./commands.ts";
import type { Variant } from "./harness.ts";
import { debianFixture } from "./layers-fixture.ts";
import type { OpenSuite } from "./main.ts";

/** Fresh folders outside the measured time. */
function timed(base: string, run: (dir: string) => Promise<void> | void): () => Promise<number> {
  return async () => {
    const dir = mkdtempSync(join(base, "run-"));
    for (const name of ["images", "layers"]) mkdirSync(join(dir, name));
    const started = performance.now();
    await run(dir);
    const elapsed = performance.now() - started;
    rmSync(dir, { recursive: true });
    return elapsed;
  };
}

async function ours(dir: string, archive: string): Promise<void> {
  using root = openDirFs(dir);
  const store = openImageStore(root.openDir("images"), nodePorts);
  const snapshots = openSnapshotStore(root.openDir("layers"), store, nodePorts);
  await store.load(
    { kind: "stream", stream: createReadStream(archive, { highWaterMark: 1 << 18 }) },
    { unpack: snapshots },
  );
}

function dockerMissing(): string | undefined {
  if (which("docker") === undefined) return "docker is not installed";
  try {
    execFileSync("docker", ["info"], { stdio: "ignore", timeout: 5000 });
    return undefined;
  } catch (error) {
    return `docker does not answer (${(error as Error).message.split("\n")[0]})`;
  }
}

export async function open(): Promise<OpenSuite> {
  const fixture = await debianFixture();
  const archive = join(fixture, "debian.tar");
  const base = mkdtempSync(join(tmpdir(), "lap-unpack-"));
  const layout = join(base, "layout");
  mkdirSync(layout);
  execFileSync("tar", ["xf", archive, "-C", layout]);
  const umoci = (dir: string): void => {
    execFileSync("umoci", ["unpack", "--image", `${layout}:layers`, join(dir, "bundle")], { stdio: "ignore" });
    execFileSync("sync", ["-f", dir]);
  };
  const missing = dockerMissing();
  const variants: Variant[] = [
    { name: "ours, load and unpack", run: timed(base, (dir) => ours(dir, archive)) },
    { name: "umoci unpack", ...absent("umoci"), run: timed(base, umoci) },
    {
      name: "docker load",
      ...(missing === undefined ? {} : { missing }),
      run: timed(base, () => {
        execFileSync("docker", ["load", "-i", archive], { stdio: "ignore" });
      }),
    },
  ];
  return {
    suite: {
      title: "an image of 550 MB in eleven layers to disk",
      reference: "ours, load and unpack",
      rounds: 3,
      warmup: 1,
      variants,
      thresholds: [
        { subject: "ours, load and unpack", reference: "umoci unpack", atMost: 0.5 },
        { subject: "ours, load and unpack", reference: "docker load", atMost: 0.5 },
      ],
    },
    async [Symbol.asyncDispose]() {
      rmSync(base, { recursive: true });
      await Promise.resolve();
    },
  };
}

function absent(program: string): { missing?: string } {
  return which(program) === undefined ? { missing: `${program} is not installed` } : {};
}
