// Wasm programs in Debian's docker-registry: an artifact of the CNCF form stays one on the way there and back, and an index keeps its
// Linux and its Wasm manifest, of which `run` picks.
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { arch } from "node:process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildGuests } from "../../wasm/build.ts";
import { needs } from "../support/facts.ts";
import { LapStore, nothingLeft } from "../support/lap.ts";
import { writeLayout } from "../support/oci-layout.ts";
import { copyFiles, programFiles } from "../support/programs.ts";
import { writeArtifact, type Blob } from "../support/wasm-artifact.ts";
import { startPeer, type PeerRegistry } from "./layers-registry-peer.ts";

interface Document {
  readonly config?: { readonly mediaType: string };
  readonly layers?: readonly (Blob & { readonly mediaType: string })[];
  readonly manifests?: readonly { readonly platform: { readonly os: string } }[];
}

needs("root", "overlayfs", "native", "command:docker-registry").describe("Wasm programs in a registry", () => {
  let store: LapStore;
  let registry: PeerRegistry;
  let guest: string;

  beforeAll(async () => {
    store = new LapStore();
    registry = await startPeer();
    const guests = join(store.folder, "guests");
    await buildGuests(guests);
    guest = join(guests, "hello.wasm");
  });
  afterAll(async () => {
    const { folder } = store;
    store[Symbol.dispose]();
    await registry[Symbol.asyncDispose]();
    await nothingLeft(folder);
  });

  async function manifest(name: string): Promise<Document> {
    const accept = ["manifest", "index"].map((kind) => `application/vnd.oci.image.${kind}.v1+json`).join(", ");
    const response = await fetch(`http://${registry.host}/v2/${name}/manifests/1`, { headers: { accept } });
    return (await response.json()) as Document;
  }

  it("an artifact is pushed as it is, and comes back to run", async () => {
    const layout = join(store.folder, "artifact");
    writeArtifact(layout, readFileSync(guest), "program:1");
    store.ok("load", "-i", layout);
    const name = `${registry.host}/programs/hello:1`;
    store.ok("tag", "program:1", name);
    store.ok("push", name);
    const { config, layers } = await manifest("programs/hello");
    expect(config?.mediaType).toBe("application/vnd.wasm.config.v0+json");
    expect(layers).toMatchObject([{ mediaType: "application/wasm" }]);
    const blob = await fetch(`http://${registry.host}/v2/programs/hello/blobs/${layers![0]!.digest}`);
    expect(Buffer.from(await blob.arrayBuffer())).toEqual(readFileSync(guest));
    store.ok("rmi", "program:1", name);
    store.ok("pull", name);
    expect(store.ok("run", "--rm", name)).toBe("hello from WebAssembly");
  });

  it("one tag has a program for Linux and one for Wasm", async () => {
    const layer = join(store.folder, "layer");
    copyFiles(layer, programFiles(["/bin/sh", "/bin/echo"]));
    mkdirSync(join(layer, "app"));
    copyFileSync(guest, join(layer, "app/hello.wasm"));
    const linux = { os: "linux", architecture: arch === "arm64" ? "arm64" : "amd64" };
    const wasm = { platform: { os: "wasip1", architecture: "wasm" }, config: { Entrypoint: ["/app/hello.wasm"] } };
    const config = { Cmd: ["sh", "-c", "echo hello from Linux"] };
    const layout = join(store.folder, "both");
    const name = `${registry.host}/programs/both:1`;
    writeLayout(layout, [{ tag: name, layers: [layer], platform: linux, config, variants: [wasm] }]);
    store.ok("load", "-i", layout);
    store.ok("push", name);
    expect((await manifest("programs/both")).manifests?.map(({ platform }) => platform.os)).toEqual([
      "linux",
      "wasip1",
    ]);
    store.ok("rmi", name);
    expect(store.ok("run", "--rm", "-q", name)).toBe("hello from Linux");
    store.ok("rmi", name);
    expect(store.ok("run", "--rm", "-q", "--platform", "wasip1/wasm", name)).toBe("hello from WebAssembly");
  });
});
