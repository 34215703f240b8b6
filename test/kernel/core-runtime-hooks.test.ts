// Hooks under lap-runtime: their order, namespaces and state, and what a failing one says (config.md "POSIX-platform Hooks").
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { needs } from "../support/facts.ts";
import { Bundle, newId, spec, type Result } from "./core-bundle.ts";

let bundle: Bundle;
let dir = "";

const lap = (...args: readonly string[]): Result => bundle.lap(...args);
const lapDetached = (...args: readonly string[]): number | null => bundle.lapDetached(...args);
const writeConfig = (config: unknown): void => bundle.writeConfig(config);

needs("root", "native").describe("hooks under lap-runtime", () => {
  beforeEach(() => {
    bundle = new Bundle(["/bin/sh", "/bin/cat", "/bin/grep"]);
    dir = bundle.dir;
  });
  afterEach(() => bundle[Symbol.dispose]());

  test("hooks run in their order and namespaces, with the state on standard input", () => {
    const id = newId();
    const trace = join(dir, "trace");
    const hook = (name: string): { path: string; args: string[] } => ({
      path: "/bin/sh",
      args: ["sh", "-c", `echo ${name} $(cat | grep -o '"status":"[a-z]*"') >> ${trace}`],
    });
    const inside = { path: "/bin/sh", args: ["sh", "-c", "cat > /startContainer"] };
    const hooks = {
      prestart: [hook("prestart")],
      createRuntime: [hook("createRuntime")],
      createContainer: [hook("createContainer")],
      startContainer: [inside],
      poststart: [hook("poststart")],
      poststop: [hook("poststop")],
    };
    writeConfig(spec(["cat", "/startContainer"], { hooks }));
    const result = lap("run", "--bundle", dir, id);
    expect(JSON.parse(result.stdout)).toMatchObject({ id, status: "created" });
    expect(readFileSync(trace, "utf8").split("\n")).toEqual([
      'prestart "status":"created"',
      'createRuntime "status":"creating"',
      'createContainer "status":"creating"',
      'poststart "status":"running"',
      'poststop "status":"stopped"',
      "",
    ]);
  });

  test("a hook that fails ends the creation and leaves nothing", async () => {
    const id = newId();
    writeConfig(spec(["true"], { hooks: { createRuntime: [{ path: "/bin/sh", args: ["sh", "-c", "exit 3"] }] } }));
    expect(lap("create", "--bundle", dir, id)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("exit status 3") as string,
    });
    await bundle.nothingLeft(id);
  });

  test("hooks of the container: in its root filesystem, silent, and heard when they fail", async () => {
    const say = (script: string): { path: string; args: string[] } => ({ path: "/bin/sh", args: ["sh", "-c", script] });
    const hooks = {
      createContainer: [say("echo library > ./tmp/library; echo noise")],
      startContainer: [say("echo noise >&2; cat /tmp/library >&2; exit 7")],
    };
    writeConfig(spec(["cat", "/tmp/library"], { hooks }));
    const failed = 'startContainer hook #0: "/bin/sh": exit status 7, output: noise\\x0alibrary';
    expect(lap("run", "--bundle", dir, newId())).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining(failed) as string,
    });
    const id = newId();
    expect(lapDetached("create", "--bundle", dir, id)).toBe(0);
    expect(lap("start", id).stderr).toContain('startContainer hook "/bin/sh": exit status 7, output: noise');
    expect(lap("delete", "--force", id).code).toBe(0);
    writeConfig(spec(["cat", "/tmp/library"], { hooks: { createContainer: hooks.createContainer } }));
    expect(lap("run", "--bundle", dir, newId())).toEqual({ code: 0, stdout: "library\n", stderr: "" });
    await bundle.nothingLeft(id);
  });
});
