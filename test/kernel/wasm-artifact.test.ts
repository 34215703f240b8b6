// The CNCF form of a Wasm program in a registry: one application/wasm blob with a config of its own. It loads, runs and keeps
// what it changed.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildGuests } from "../../wasm/build.ts";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { writeLayout } from "../support/oci-layout.ts";
import { writeArtifact, type Blob } from "../support/wasm-artifact.ts";

function blobOf(folder: string, digest: string): unknown {
  return JSON.parse(readFileSync(join(folder, "blobs/sha256", digest.slice(7)), "utf8"));
}

needs("root", "overlayfs", "native").describe("Wasm artifacts", () => {
  let store: LapStore;

  beforeAll(async () => {
    store = new LapStore();
    const guests = join(store.folder, "guests");
    await buildGuests(guests);
    const layout = join(store.folder, "layout");
    writeArtifact(layout, readFileSync(join(guests, "hello.wasm")), "program:1");
    store.ok("load", "-i", layout);
  });
  afterAll(() => store.close());

  it("are made of an ordinary image that is one program, and of no other", () => {
    const folder = join(store.folder, "ordinary");
    const [alone, more] = ["alone", "more"].map((name) => join(folder, name)) as [string, string];
    for (const dir of [alone, more]) {
      mkdirSync(join(dir, "bin"), { recursive: true });
      copyFileSync(join(store.folder, "guests/hello.wasm"), join(dir, "bin/hello.wasm"));
    }
    writeFileSync(join(more, "data"), "x");
    const platform = { os: "wasip1", architecture: "wasm" };
    const config = { Entrypoint: ["/bin/hello.wasm"] };
    writeLayout(join(folder, "layout"), [
      { tag: "alone:1", layers: [alone], config, platform },
      { tag: "more:1", layers: [more], config, platform },
      { tag: "args:1", layers: [alone], config: { ...config, Cmd: ["x"] }, platform },
    ]);
    store.ok("load", "-i", join(folder, "layout"));
    const file = join(folder, "artifact.tar");
    store.ok("save", "--format", "wasm-artifact", "-o", file, "alone:1");
    store.ok("rmi", "alone:1");
    store.ok("load", "-i", file);
    expect(store.ok("run", "--rm", "alone:1")).toBe("hello from WebAssembly");
    const saved = JSON.parse(store.ok("inspect", "alone:1")) as readonly { readonly Os: string }[];
    expect(saved[0]?.Os).toBe("wasip1");
    for (const name of ["more:1", "args:1"]) {
      expect(store.run(["save", "--format", "wasm-artifact", "-o", file, name]).stderr).toMatch(/is no artifact/);
    }
    expect(store.run(["save", "--format", "zip", "-o", file, "more:1"]).stderr).toMatch(/cannot save/);
  });

  it("leave as they came: the same manifest, config and blob", () => {
    const folder = join(store.folder, "saved");
    mkdirSync(folder);
    store.ok("save", "-o", join(folder, "saved.tar"), "program:1");
    execFileSync("tar", ["-xf", join(folder, "saved.tar"), "-C", folder]);
    const { manifests } = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")) as {
      readonly manifests: readonly Blob[];
    };
    const [manifest] = manifests.map(({ digest }) => blobOf(folder, digest));
    expect(manifest).toMatchObject({
      config: { mediaType: "application/vnd.wasm.config.v0+json" },
      layers: [{ mediaType: "application/wasm" }],
    });
    const program = (manifest as { readonly layers: readonly Blob[] }).layers[0]!;
    expect(readFileSync(join(folder, "blobs/sha256", program.digest.slice(7)))).toEqual(
      readFileSync(join(store.folder, "guests", "hello.wasm")),
    );
  });

  it("run, and keep what they change", () => {
    expect(store.ok("run", "--rm", "program:1")).toBe("hello from WebAssembly");
    expect(store.run(["run", "--name", "a1", "program:1", "write", "/made", "text", "ls", "/"])).toMatchObject({
      code: 0,
      stdout: "app.wasm\nmade\n",
    });
    expect(store.ok("diff", "a1")).toBe("A /made");
    store.ok("rm", "a1");
  });
});
