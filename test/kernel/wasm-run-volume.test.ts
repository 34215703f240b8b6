// `lap run -v` and `--tmpfs` with a Wasm container.
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildGuests } from "../../wasm/build.ts";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";

needs("root", "overlayfs", "native").describe("volumes of Wasm containers", () => {
  let store: LapStore;
  let guest: string;
  let volume: string;

  beforeAll(async () => {
    store = new LapStore();
    volume = join(store.folder, "volume");
    mkdirSync(volume);
    writeFileSync(join(volume, "file"), "from the machine\n");
    symlinkSync("/etc/passwd", join(volume, "link"));
    const guests = join(store.folder, "guests");
    await buildGuests(guests);
    guest = join(guests, "hello.wasm");
  });
  afterAll(() => store.close());

  it("show a folder of the machine, and write to it", () => {
    const verbs = ["cat", "/data/file", "write", "/data/new", "text"];
    expect(store.ok("run", "--rm", "-v", `${volume}:/data`, guest, ...verbs)).toBe("from the machine");
    expect(readFileSync(join(volume, "new"), "utf8")).toBe("text\n");
  });

  it("refuse writes with :ro, and never follow a link to the machine", () => {
    const ro = store.run(["run", "--rm", "-v", `${volume}:/data:ro`, guest, "write", "/data/x", "y"]);
    expect(ro).toMatchObject({ code: 1, stderr: "hello: errno 069: /data/x\n" });
    const link = store.run(["run", "--rm", "-v", `${volume}:/data`, guest, "cat", "/data/link"]);
    expect(link).toMatchObject({ code: 1, stdout: "" });
  });

  it("show a single file of the machine, and write to it", () => {
    const file = join(store.folder, "single");
    writeFileSync(file, "one file\n");
    const verbs = ["cat", "/etc/deep/conf", "write", "/etc/deep/conf", "changed", "ls", "/etc/deep"];
    expect(store.ok("run", "--rm", "-v", `${file}:/etc/deep/conf`, guest, ...verbs)).toBe("one file\nconf");
    expect(readFileSync(file, "utf8")).toBe("changed\n");
    const ro = store.run(["run", "--rm", "-v", `${file}:/conf:ro`, guest, "write", "/conf", "x"]);
    expect(ro).toMatchObject({ code: 1, stderr: "hello: errno 069: /conf\n" });
    expect(store.run(["run", "--rm", "-v", `${file}:/conf`, guest, "rm", "/conf"])).toMatchObject({ code: 1 });
  });

  it("keep what goes to a tmpfs out of the container's changes", () => {
    store.ok("run", "--name", "scratch", "--tmpfs", "/scratch", guest, "write", "/scratch/x", "y");
    expect(store.ok("diff", "scratch")).toBe("A /scratch");
    store.ok("rm", "scratch");
  });
});
