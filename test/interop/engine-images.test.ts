// Real images: the official ones from a folder of OCI layouts ($LAP_TEST_IMAGES), archives as `docker save` writes them, and a
// Debian made by debootstrap. Each is loaded, run, changed, committed and removed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { arch } from "node:process";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { tarFolder, writeLayout } from "../support/oci-layout.ts";

/** A blob of a layout as parsed JSON. */
function document(layout: string, digest: string): Record<string, never> {
  return JSON.parse(readFileSync(join(layout, "blobs/sha256", digest.slice(7)), "utf8")) as Record<string, never>;
}

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}

/** Rewrites a layout as the archive that `docker save` of an older engine writes: uncompressed layers, manifest.json. */
function dockerArchive(layout: string, tag: string, folder: string): Buffer {
  const index = JSON.parse(readFileSync(join(layout, "index.json"), "utf8")) as { manifests: { digest: string }[] };
  const manifest = document(layout, index.manifests[0]!.digest) as unknown as Manifest;
  mkdirSync(folder, { recursive: true });
  const layers = manifest.layers.map(({ digest }) => {
    const tar = gunzipSync(readFileSync(join(layout, "blobs/sha256", digest.slice(7))));
    const name = createHash("sha256").update(tar).digest("hex");
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "layer.tar"), tar);
    return `${name}/layer.tar`;
  });
  const config = `${manifest.config.digest.slice(7)}.json`;
  writeFileSync(join(folder, config), readFileSync(join(layout, "blobs/sha256", manifest.config.digest.slice(7))));
  writeFileSync(join(folder, "manifest.json"), JSON.stringify([{ Config: config, RepoTags: [tag], Layers: layers }]));
  return tarFolder(folder);
}

/** Load, run, change, commit, run the commit, remove. */
function roundTrip(store: LapStore, tag: string, shell: string): void {
  expect(store.ok("images", "--format", "{{.Repository}}:{{.Tag}}")).toContain(tag);
  const script = "echo added > /added; mkdir -p /etc; rm -f /etc/hostname.none; cat /proc/self/mountinfo";
  const mounts = store.ok("run", "--name", "trip", tag, shell, "-c", script);
  expect(mounts).toMatch(/ \/ \/ .* overlay /);
  expect(store.ok("diff", "trip").split("\n")).toContain("A /added");
  store.ok("commit", "trip", "trip:1");
  expect(store.ok("run", "--rm", "trip:1", shell, "-c", "cat /added")).toBe("added");
  store.ok("rm", "trip");
  store.ok("rmi", "trip:1");
}

needs("root", "overlayfs", "native", "env:LAP_TEST_IMAGES").describe("official images", () => {
  const images = process.env["LAP_TEST_IMAGES"] ?? "";
  let store: LapStore;
  beforeAll(() => {
    store = new LapStore();
    for (const name of readdirSync(images)) store.ok("load", "-i", join(images, name));
  });
  afterAll(() => store.close());

  it("runs alpine and busybox", () => {
    expect(store.ok("run", "--rm", "alpine:3.20", "cat", "/etc/alpine-release")).toMatch(/^3\.20/);
    roundTrip(store, "alpine:3.20", "sh");
    for (const tag of store.ok("images", "busybox", "--format", "{{.Repository}}:{{.Tag}}").split("\n")) {
      roundTrip(store, tag, "sh");
    }
  });

  it("runs hello-world", () => {
    expect(store.ok("run", "--rm", "hello-world")).toContain("Hello from Docker!");
  });

  it("loads a docker archive as file and from standard input, with the same image id", () => {
    const id = store.ok("images", "-q", "--no-trunc", "alpine:3.20");
    const tar = dockerArchive(join(images, "alpine-3.20"), "archived:1", join(store.folder, "archive"));
    const file = join(store.folder, "archive.tar");
    writeFileSync(file, tar);
    expect(store.ok("load", "-i", file)).toBe("Loaded image: archived:1");
    expect(store.run(["load"], { input: tar }).stdout).toBe("Loaded image: archived:1\n");
    expect(store.ok("images", "-q", "--no-trunc", "archived:1")).toBe(id);
    expect(store.ok("run", "--rm", "archived:1", "echo", "ok")).toBe("ok");
  });

  it("refuses broken archives in one line and keeps what is there", () => {
    const before = store.ok("images");
    const tar = dockerArchive(join(images, "alpine-3.20"), "broken:1", join(store.folder, "broken"));
    const cases: [string, Buffer][] = [
      ["empty", Buffer.alloc(0)],
      ["text", Buffer.from("this is no archive")],
      ["cut", tar.subarray(0, tar.length >> 1)],
      ["flipped", Buffer.from(tar).fill(0xff, tar.length >> 1, (tar.length >> 1) + 4096)],
    ];
    for (const [name, bytes] of cases) {
      const { code, stderr, stdout } = store.run(["load"], { input: bytes });
      expect([name, code, stdout]).toEqual([name, 1, ""]);
      expect(stderr).not.toContain("    at ");
    }
    expect(store.ok("images")).toBe(before);
  });
});

needs("root", "overlayfs", "native", "command:debootstrap").describe("Debian", () => {
  let store: LapStore;
  beforeAll(() => {
    store = new LapStore();
  });
  afterAll(() => store.close());

  it("runs, with a second layer over it as a directory of its own", () => {
    const lower = join(store.folder, "debian");
    // Its files are what counts: configuring them in a chroot takes twice as long again.
    const args = ["--foreign", "--variant=minbase", "bookworm", lower];
    const { status, stderr } = spawnSync("debootstrap", args, { encoding: "utf8" });
    expect([status, stderr]).toEqual([0, expect.anything()]);
    rmSync(join(lower, "var/cache/apt/archives"), { recursive: true });
    const upper = join(store.folder, "upper");
    mkdirSync(join(upper, "etc"), { recursive: true });
    writeFileSync(join(upper, "etc/.wh.motd"), "");
    writeFileSync(join(upper, "etc/added"), "added\n");
    const layout = join(store.folder, "layout");
    const platform = { os: "linux", architecture: arch === "arm64" ? "arm64" : "amd64" };
    writeLayout(layout, [{ tag: "debian:test", layers: [lower, upper], platform, config: { Cmd: ["bash"] } }]);
    store.ok("load", "-i", layout);
    roundTrip(store, "debian:test", "bash");
    const seen = store.ok(
      "run",
      "--rm",
      "debian:test",
      "bash",
      "-c",
      "cat /etc/added /etc/debian_version; ls /etc/motd 2>&1; dpkg --print-architecture; perl -e 'print 6*7'",
    );
    expect(seen).toMatch(/^added\n12\.[\s\S]*No such file[\s\S]*\n(?:amd64|arm64)\n42$/);
    expect(readdirSync(join(store.root, "layers")).filter((name) => /^[0-9a-f]{64}$/.test(name))).toHaveLength(2);
  }, 300_000);
});
