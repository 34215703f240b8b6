// Id-mapped mounts: binds with maps of their own or the container's, and a root of mapped layers for a user namespace.
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { IdMapSpec, MountSpec, RuntimeSpec } from "@lapstrake/base";
import { cleanup, compile, defaultSpec, hostFacts, launch } from "@lapstrake/core";
import { needs } from "../support/facts.ts";
import { finish, sh } from "./core-harness.ts";

const RANGE: readonly IdMapSpec[] = [{ containerID: 0, hostID: 200_000, size: 65_536 }];
const kernel = hostFacts().kernel;
/** Overlay takes a layer that is mounted nowhere. */
const canMapLayers = kernel.major > 6 || (kernel.major === 6 && kernel.minor >= 15);
const unless = canMapLayers ? "" : " [needs kernel 6.15]";

function withMount(mount: MountSpec): (spec: RuntimeSpec) => RuntimeSpec {
  return (spec) => ({ ...spec, mounts: [...spec.mounts!, mount] });
}

function inUserNamespace(spec: RuntimeSpec): RuntimeSpec {
  const namespaces = [...spec.linux!.namespaces!, { type: "user" as const }];
  return { ...spec, linux: { ...spec.linux, namespaces, uidMappings: RANGE, gidMappings: RANGE } };
}

let counter = 0;

/** Output of a script in a container with a user namespace over layers of the host's ids. */
async function inside(script: string, mounts: readonly MountSpec[], lower = "/"): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), "lap-mapped-"));
  const id = `core-test-${process.pid}-mapped-${counter++}`;
  for (const name of ["c", "up", "work"]) mkdirSync(join(dir, name));
  const base = inUserNamespace(defaultSpec());
  const spec = {
    ...base,
    mounts: [...base.mounts!, ...mounts],
    process: { ...base.process!, args: ["sh", "-c", script] },
  };
  const [upperdir, workdir] = [join(dir, "up"), join(dir, "work")];
  const rootfs = { kind: "overlay", lowerdirs: [lower], upperdir, workdir, mapped: true } as const;
  const streams = { stdio: "pipes", openStdin: false, stdinOnce: false, log: null, reapArgv: [] } as const;
  const plan = compile({ spec, rootfs }, hostFacts(), {
    containerDir: join(dir, "c"),
    id,
    ...streams,
    foreground: true,
    initialClient: true,
  });
  try {
    const { stdout, stderr } = await finish(await launch(plan));
    const made = ["made", "etc/owned"].filter((name) => existsSync(join(upperdir, name)));
    return stdout + stderr + made.map((name) => `${name} ${ownerOf(join(upperdir, name))}\n`).join("");
  } finally {
    cleanup(undefined, id);
    rmSync(dir, { recursive: true });
  }
}

function ownerOf(path: string): string {
  const { uid, gid } = statSync(path);
  return `${uid}:${gid}`;
}

needs("root", "native", "namespace.user").describe("core id-mapped mounts", () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "lap-idmap-"));
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, "data"));
    for (const [name, id] of [
      ["root", 0],
      ["five", 5],
    ] as const) {
      writeFileSync(join(folder, "data", name), name);
      chownSync(join(folder, "data", name), id, id);
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("a bind with maps of its own shows other owners and writes the old ones", async () => {
    const maps = [{ containerID: 0, hostID: 1000, size: 10 }];
    const mount = {
      destination: "/data",
      source: join(folder, "data"),
      options: ["bind", "idmap"],
      uidMappings: maps,
      gidMappings: maps,
    };
    const script =
      "cd /data; stat -c '%u %g' root five; echo x > new 2>&1 || true; setpriv --reuid 1003 --regid 1003 --clear-groups true";
    const { stdout, stderr } = await sh(script, withMount(mount));
    expect(stdout.startsWith("1000 1000\n1005 1005\n"), stderr).toBe(true);
  });

  test.skipIf(!canMapLayers)(
    `a bind with the container's maps belongs to its root, and what it writes to the host's${unless}`,
    async () => {
      const mount = { destination: "/data", source: join(folder, "data"), options: ["bind", "idmap"] };
      const plain = { destination: "/plain", source: join(folder, "data"), options: ["bind"] };
      const script =
        "stat -c '%u %g' /data/root /data/five /plain/root; echo x > /data/made; chown 7:8 /data/made; id -u";
      expect(await inside(script, [mount, plain])).toBe("0 0\n5 5\n65534 65534\n0\n");
      expect(ownerOf(join(folder, "data/made"))).toBe("7:8");
    },
  );

  test.skipIf(!canMapLayers)(`ridmap maps what is mounted below${unless}`, async () => {
    const mount = { destination: "/data", source: folder, options: ["rbind", "ridmap"] };
    expect(await inside("stat -c %u /data/data/five", [mount])).toBe("5\n");
  });

  test.skipIf(!canMapLayers)(`layers of the host's ids are the container's own${unless}`, async () => {
    mkdirSync(join(folder, "low/etc/dir"), { recursive: true });
    mkdirSync(join(folder, "low/usr"));
    for (const name of ["bin", "lib", "lib64", "sbin"]) symlinkSync(`usr/${name}`, join(folder, "low", name));
    writeFileSync(join(folder, "low/etc/owned"), "x");
    chownSync(join(folder, "low/etc/owned"), 33, 33);
    const script =
      "stat -c '%u %g' / /etc/owned; echo y >> /etc/owned; chown 44 /etc/owned; echo z > /made; rm -r /etc/dir; stat -c %u /made";
    const usr: MountSpec = { destination: "/usr", source: "/usr", options: ["rbind", "ro"] };
    expect(await inside(script, [usr], join(folder, "low"))).toBe("0 0\n33 33\n0\nmade 0:0\netc/owned 44:33\n");
    expect(ownerOf(join(folder, "low/etc/owned"))).toBe("33:33");
  });
});
