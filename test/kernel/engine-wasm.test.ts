// A Wasm container is a container: same ps, logs, diff, commit, exit codes; and it sees the same layers as a Linux one.
import { copyFileSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { arch } from "node:process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildGuests } from "../../wasm/build.ts";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { writeLayout } from "../support/oci-layout.ts";
import { copyFiles, programFiles } from "../support/programs.ts";

const VARIANT = "module.wasm.image/variant";
const linuxPlatform = `linux/${arch === "arm64" ? "arm64" : "amd64"}`;

needs("root", "overlayfs", "native").describe("Wasm containers", () => {
  let store: LapStore;
  let guest: string;

  beforeAll(async () => {
    store = new LapStore();
    const guests = join(store.folder, "guests");
    await buildGuests(guests);
    guest = join(guests, "hello.wasm");
    const layer = join(store.folder, "layer");
    copyFiles(layer, programFiles(["/bin/sh", "/bin/cat", "/bin/ls"]));
    mkdirSync(join(layer, "app"));
    copyFileSync(guest, join(layer, "app/hello.wasm"));
    writeFileSync(join(layer, "app/file"), "from the layer\n");
    const layout = join(store.folder, "layout");
    const linux = { os: "linux", architecture: arch === "arm64" ? "arm64" : "amd64" };
    const wasm = { platform: { os: "wasip1", architecture: "wasm" }, config: { Entrypoint: ["/app/hello.wasm"] } };
    writeLayout(layout, [
      { tag: "both:1", layers: [layer], platform: linux, config: { Cmd: ["sh"] }, variants: [wasm] },
      { tag: "wasm:1", layers: [layer], ...wasm },
      // As buildah makes them for crun: a Linux image that only says so.
      { tag: "compat:1", layers: [layer], platform: linux, config: wasm.config, annotations: { [VARIANT]: "compat" } },
    ]);
    store.ok("load", "-i", layout);
  });
  afterAll(() => store.close());

  it("runs a file of this machine", () => {
    expect(store.run(["run", "--name", "f1", guest])).toEqual({
      code: 0,
      stdout: "hello from WebAssembly\n",
      stderr: "",
    });
    expect(store.ok("ps", "-a", "--format", "{{.Names}} {{.Status}}")).toMatch(/^f1 Exited \(0\)/);
    expect(store.ok("logs", "f1")).toBe("hello from WebAssembly");
    expect(store.ok("diff", "f1")).toBe("");
    store.ok("rm", "f1");
  });

  it("runs an image of platform wasip1/wasm and keeps what it changed", () => {
    const verbs = ["ls", "/app", "cat", "/app/file", "write", "/app/new", "text", "rm", "/app/file"];
    const { code, stdout } = store.run(["run", "--name", "w1", "wasm:1", ...verbs]);
    expect(code).toBe(0);
    expect(stdout).toBe("file\nhello.wasm\nfrom the layer\n");
    expect(store.ok("diff", "w1").split("\n")).toEqual(["C /app", "D /app/file", "A /app/new"]);
    expect(store.ok("logs", "w1")).toContain("from the layer");
    store.ok("commit", "w1", "w1:1");
    expect(store.ok("run", "--rm", "w1:1", "ls", "/app", "cat", "/app/new")).toBe("hello.wasm\nnew\ntext");
    store.ok("rm", "w1");
    store.ok("rmi", "w1:1");
  });

  it("keeps changes over a second start", () => {
    store.ok("create", "--name", "again", "wasm:1", "write", "/app/x", "1", "ls", "/app");
    for (let i = 0; i < 2; i++) expect(store.run(["start", "-a", "again"]).code).toBe(0);
    expect(store.ok("diff", "again").split("\n")).toEqual(["C /app", "A /app/x"]);
    store.ok("rm", "again");
  });

  it("picks the manifest by platform: Linux by default, Wasm on request", () => {
    expect(store.ok("run", "--rm", "both:1", "cat", "/app/file")).toBe("from the layer");
    expect(store.ok("run", "--rm", "--platform", "wasip1/wasm", "both:1", "cat", "/app/file")).toBe("from the layer");
    expect(store.run(["run", "--rm", "--platform", "linux/s390x", "both:1"])).toMatchObject({ code: 125 });
  });

  it("takes crun's annotation of a container for the Wasm sandbox", () => {
    const asked = ["--annotation", "run.oci.handler=wasm", "--entrypoint", "/app/hello.wasm"];
    expect(store.ok("run", "--rm", ...asked, "--platform", linuxPlatform, "both:1", "cat", "/app/file")).toBe(
      "from the layer",
    );
    expect(store.ok("run", "--rm", "--platform", linuxPlatform, "both:1", "cat", "/app/file")).toBe("from the layer");
  });

  it("takes the annotation of an image for it", () => {
    expect(store.ok("run", "--rm", "compat:1", "cat", "/app/file")).toBe("from the layer");
  });

  it("is a process of the machine with --security-opt wasm=unconfined, and in namespaces of its own without", () => {
    const own = (...flags: string[]): Record<string, boolean> => {
      store.ok("run", "-d", "--name", "ns", ...flags, "--entrypoint", "sh", guest, "-c", "while :; do :; done");
      const pid = store.ok("inspect", "--format", "{{.State.Pid}}", "ns");
      const kinds = ["mnt", "net", "pid", "ipc", "uts"];
      const differs = (kind: string): boolean =>
        readlinkSync(`/proc/${pid}/ns/${kind}`) !== readlinkSync(`/proc/self/ns/${kind}`);
      const out = Object.fromEntries(kinds.map((kind) => [kind, differs(kind)]));
      const seccomp = /^Seccomp:\t2$/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
      store.ok("rm", "-f", "ns");
      return { ...out, seccomp };
    };
    expect(own()).toEqual({ mnt: true, net: true, pid: true, ipc: true, uts: true, seccomp: true });
    const unconfined = { mnt: true, net: false, pid: false, ipc: false, uts: false, seccomp: false };
    expect(own("--security-opt", "wasm=unconfined")).toEqual(unconfined);
    expect(store.run(["run", "--rm", "--security-opt", "seccomp=unconfined", guest])).toMatchObject({ code: 125 });
  });

  it("gives the guest's exit code and says why a file is no program", () => {
    expect(store.run(["run", "--rm", guest, "cat", "/nosuch"])).toMatchObject({ code: 1 });
    expect(store.run(["run", "--rm", guest, "frobnicate"])).toMatchObject({ code: 2 });
    const text = join(store.folder, "text.wasm");
    writeFileSync(text, "not a module");
    const broken = store.run(["run", "--rm", text]);
    expect(broken.code).toBe(126);
    expect(broken.stderr).not.toContain("    at ");
    expect(store.run(["run", "--rm", "/nosuch.wasm"])).toMatchObject({ code: 125 });
    expect(store.run(["run", "--rm", "--entrypoint", "/app/none.wasm", "wasm:1"])).toMatchObject({ code: 127 });
    expect(store.ok("ps", "-aq")).toBe("");
  });
});
