// Volumes as people use them: names, copy-up, sharing, what goes with a container and what stays; concurrency and half-made ones.
import { chownSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { arch } from "node:process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { ended } from "../support/processes.ts";
import { soon } from "../support/until.ts";
import { writeLayout } from "../support/oci-layout.ts";

needs("root", "overlayfs", "native").describe("volumes", () => {
  let store: LapStore;
  beforeAll(() => {
    store = new LapStore();
    store.loadPrograms();
    loadVolumeImage(store);
  });
  afterAll(() => store.close());

  const sh = (script: string, ...flags: string[]): string =>
    store.ok("run", "--rm", ...flags, "vol:1", "sh", "-c", script);
  const volumes = (): string[] =>
    store
      .ok("volume", "ls", "-q")
      .split("\n")
      .filter((name) => name !== "");
  const data = (name: string, ...path: string[]): string => join(store.root, "volumes", name, "_data", ...path);

  it("keeps what a container wrote, for the next one", () => {
    sh("echo kept > /v/file", "-v", "keep:/v");
    expect(sh("cat /other/file", "-v", "keep:/other:ro")).toBe("kept");
    expect(store.run(["run", "--rm", "-v", "keep:/v:ro", "vol:1", "touch", "/v/x"]).code).toBe(1);
    store.ok("volume", "rm", "keep");
    expect(existsSync(join(store.root, "volumes", "keep"))).toBe(false);
  });

  it("copies the image's content with owners, modes and links into an empty volume only", () => {
    expect(sh("stat -c '%u:%g %a %F' /content /content/file /content/link", "-v", "fill:/content")).toBe(
      "7:8 750 directory\n7:8 4711 regular file\n0:0 777 symbolic link",
    );
    expect(sh("ls /content", "-v", "plain:/content:nocopy")).toBe("");
    expect(sh("ls /content", "-v", "fill:/content")).toBe("file\nlink");
    sh("rm /content/link", "-v", "fill:/content");
    expect(sh("ls /content", "-v", "fill:/content")).toBe("file");
    store.ok("volume", "rm", "fill", "plain");
  });

  it("follows links of the image to the target, and refuses a file there", () => {
    expect(sh("ls /alias", "-v", "linked:/alias")).toBe("file\nlink");
    const { code, stderr } = store.run(["run", "--rm", "-v", "overfile:/content/file", "vol:1", "true"]);
    expect(code).toBe(125);
    expect(stderr).toContain("cannot mount volume over existing file, file exists /content/file");
    expect(volumes()).toEqual(["linked"]);
    store.ok("volume", "rm", "linked");
  });

  it("makes anonymous volumes for the image's VOLUMEs, which go with --rm and rm -v", () => {
    const before = volumes();
    sh("echo x > /declared/x");
    expect(volumes()).toEqual(before);
    store.ok("create", "--name", "holder", "vol:1");
    expect(volumes()).toHaveLength(before.length + 1);
    store.ok("rm", "holder");
    const left = volumes().filter((name) => !before.includes(name));
    expect(left).toHaveLength(1);
    expect(store.ok("volume", "prune", "-f")).toContain(left[0]!);
    store.ok("create", "--name", "holder", "vol:1");
    store.ok("rm", "-v", "holder");
    expect(volumes()).toEqual(before);
  });

  it("shares them by --volumes-from, read-only on demand", () => {
    store.ok("run", "-d", "--name", "giver", "-v", "shared:/s", "vol:1", "sleep", "100");
    sh("echo hi > /declared/hi; echo hi > /s/hi", "--volumes-from", "giver");
    expect(store.ok("exec", "giver", "cat", "/declared/hi", "/s/hi")).toBe("hi\nhi");
    expect(store.run(["run", "--rm", "--volumes-from", "giver:ro", "vol:1", "touch", "/s/x"]).code).toBe(1);
    expect(store.run(["volume", "rm", "shared"]).stderr).toMatch(/volume is in use - \[[0-9a-f]{64}\]/);
    store.ok("rm", "-fv", "giver");
    store.ok("volume", "rm", "shared");
  });

  it("shows mounts as docker's inspect does", () => {
    store.ok("create", "--name", "shown", "-v", "named:/n", "-v", `${store.folder}:/b:ro`, "-v", "/anon", "vol:1");
    const [shown] = JSON.parse(store.ok("inspect", "shown")) as [
      { Mounts: Record<string, unknown>[]; HostConfig: unknown },
    ];
    const byTarget = Object.fromEntries(shown.Mounts.map((mount) => [mount["Destination"], mount]));
    expect(byTarget["/n"]).toEqual({
      Type: "volume",
      Name: "named",
      Source: data("named"),
      Destination: "/n",
      Driver: "local",
      Mode: "z",
      RW: true,
      Propagation: "",
    });
    expect(byTarget["/b"]).toEqual({
      Type: "bind",
      Source: store.folder,
      Destination: "/b",
      Mode: "ro",
      RW: false,
      Propagation: "rprivate",
    });
    expect(byTarget["/anon"]).toMatchObject({ Type: "volume", Mode: "", RW: true });
    expect(shown.HostConfig).toMatchObject({ Binds: ["named:/n", `${store.folder}:/b:ro`] });
    store.ok("rm", "-v", "shown");
    store.ok("volume", "rm", "named");
  });

  it("gives ten creators of one volume the same one", async () => {
    const runs = Array.from({ length: 10 }, (_, i) =>
      ended(
        store.spawn([
          "run",
          "--rm",
          "-v",
          "race:/content",
          "vol:1",
          "sh",
          "-c",
          `ls /content/file && echo ${i} > /content/n${i}`,
        ]),
      ),
    );
    expect(await Promise.all(runs)).toEqual(runs.map(() => 0));
    expect(readdirSync(data("race")).toSorted()).toEqual([
      "file",
      "link",
      ...Array.from({ length: 10 }, (_, i) => `n${i}`),
    ]);
    await soon(() => expect(readdirSync(join(store.root, "trash"))).toEqual([]));
    store.ok("volume", "rm", "race");
  });

  it("is absent or whole when its creator is killed", async () => {
    for (const delayMs of [20, 40, 60, 80, 100]) {
      const child = store.spawn(["create", "-v", "killed:/content", "vol:1"]);
      setTimeout(() => child.kill("SIGKILL"), delayMs);
      await ended(child);
      if (volumes().includes("killed")) expect(readdirSync(data("killed")).toSorted()).toEqual(["file", "link"]);
      for (const id of store
        .ok("ps", "-aq")
        .split("\n")
        .filter((line) => line !== ""))
        store.ok("rm", "-v", id);
      if (volumes().includes("killed")) store.ok("volume", "rm", "killed");
    }
    expect(sh("ls /content", "-v", "killed:/content")).toBe("file\nlink");
    store.ok("volume", "rm", "killed");
    store.ok("volume", "prune", "-af");
  });

  it("takes --mount in full", () => {
    mkdirSync(join(store.folder, "src"));
    const mount = (text: string, script: string): string => sh(script, "--mount", text);
    expect(
      mount(
        "type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=711",
        "stat -c %a /t; dd if=/dev/zero of=/t/f bs=1024 count=2000 2>&1 | head -n 1",
      ),
    ).toMatch(/^711\n.*(?:space|dd)/);
    expect(mount(`type=bind,source=${join(store.folder, "src")},target=/b`, "echo 1 > /b/f; cat /b/f")).toBe("1");
    expect(mount("type=image,source=vol:1,target=/i", "ls /i/content; touch /i/x 2>&1 || echo ro")).toContain("ro");
    expect(mount("type=image,source=vol:1,target=/i,image-subpath=content", "ls /i")).toBe("file\nlink");
    const { code, stderr } = store.run([
      "run",
      "--rm",
      "--mount",
      "type=bind,source=/nosuch,target=/x",
      "vol:1",
      "true",
    ]);
    expect(code).toBe(125);
    expect(stderr).toContain('invalid mount config for type "bind": bind source path does not exist: /nosuch');
  });

  it("mounts a part of a volume, never through a link in it", () => {
    store.ok("volume", "create", "parts");
    mkdirSync(data("parts", "sub"));
    writeFileSync(data("parts", "sub", "f"), "inside");
    symlinkSync("/etc", data("parts", "evil"));
    expect(sh("cat /p/f", "--mount", "source=parts,target=/p,volume-subpath=sub")).toBe("inside");
    const { code, stderr } = store.run([
      "run",
      "--rm",
      "--mount",
      "source=parts,target=/p,volume-subpath=evil",
      "vol:1",
      "ls",
      "/p",
    ]);
    expect([code, stderr]).toEqual([125, expect.stringContaining("cannot access path")]);
    store.ok("volume", "rm", "parts");
  });

  it("shows a folder's owner as the container's user with :idmap", () => {
    const folder = join(store.folder, "owned");
    mkdirSync(folder);
    chownSync(folder, 1234, 1235);
    expect(sh("stat -c %u:%g /o; touch /o/root", "-v", `${folder}:/o:idmap`)).toBe("0:0");
    expect(sh("stat -c %u:%g /o; touch /o/user", "-u", "bob", "-v", `${folder}:/o:idmap`)).toBe("1000:1000");
    for (const name of ["root", "user"]) expect(statSync(join(folder, name))).toMatchObject({ uid: 1234, gid: 1235 });
  });

  it("stands for a folder of the machine by driver options", () => {
    const folder = join(store.folder, "device");
    mkdirSync(folder);
    store.ok("volume", "create", "-o", "type=none", "-o", "o=bind", "-o", `device=${folder}`, "device");
    sh("echo 1 > /d/f", "-v", "device:/d");
    expect(existsSync(join(folder, "f"))).toBe(true);
    store.ok("volume", "rm", "device");
    expect(existsSync(join(folder, "f"))).toBe(true);
    expect(store.run(["volume", "create", "-o", "type=nfs", "-o", "device=:/x", "nfs"]).stderr).toContain('type "nfs"');
  });
});

/** `vol:1`: the programs with /content (7:8, 0750), /alias -> content and VOLUME /declared. */
function loadVolumeImage(store: LapStore): void {
  const top = join(store.folder, "content-layer");
  mkdirSync(join(top, "content"), { recursive: true });
  mkdirSync(join(top, "declared"));
  writeFileSync(join(top, "content/file"), "content");
  symlinkSync("file", join(top, "content/link"));
  symlinkSync("content", join(top, "alias"));
  const layout = join(store.folder, "volume-layout");
  const platform = { os: "linux", architecture: arch === "arm64" ? "arm64" : "amd64" };
  const config = { Cmd: ["sh"], Env: ["PATH=/usr/local/bin:/usr/bin:/bin"], Volumes: { "/declared": {} } };
  writeLayout(layout, [{ tag: "plain:1", layers: [join(store.folder, "lower"), top], config, platform }]);
  store.ok("load", "-i", layout);
  // The layout's tar has one owner only.
  const script = "chown 7:8 /content /content/file; chmod 750 /content; chmod 4711 /content/file";
  store.ok("run", "--name", "maker", "plain:1", "sh", "-c", script);
  store.ok("commit", "maker", "vol:1");
  store.ok("rm", "-v", "maker");
}
