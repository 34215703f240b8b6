// Limits of Wasm containers from the command line: a guest that spins, eats memory, floods, forks or fills its disk is ended, or
// told so, with the exit code and the words of that limit; and the payload's cgroup bounds the host program around it.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseWat } from "@lapstrake/wasm/component";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildGuests } from "../../wasm/build.ts";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { until } from "../support/until.ts";

const GUESTS = {
  spins: `(module (memory (export "memory") 1) (func (export "_start") (loop $more (br $more))))`,
  /** Grows by 1 MiB and touches it until that fails, then exits with the MiB it got. */
  eats: `(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start") (local $got i32) (local $at i32)
      (loop $more
        (local.set $at (memory.grow (i32.const 16)))
        (if (i32.lt_s (local.get $at) (i32.const 0)) (then (call $exit (local.get $got))))
        (memory.fill (i32.shl (local.get $at) (i32.const 16)) (i32.const 7) (i32.const 1048576))
        (local.set $got (i32.add (local.get $got) (i32.const 1)))
        (br $more))))`,
  /** Needs 100 MiB from the start. */
  large: `(module (memory (export "memory") 1600) (func (export "_start")))`,
  floods: `(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start")
      (i32.store (i32.const 4) (i32.const 1000))
      (loop $more (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) (br $more))))`,
  /** Says "+", then spins. */
  speaks: `(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1) (data (i32.const 32) "+\\n")
    (func (export "_start")
      (i32.store (i32.const 0) (i32.const 32)) (i32.store (i32.const 4) (i32.const 2))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (loop $more (br $more))))`,
  traps: `(module (memory (export "memory") 1) (func (export "_start") unreachable))`,
} as const;

needs("root", "overlayfs", "native").describe("limits of Wasm containers", () => {
  let store: LapStore;
  let guest: (name: string) => string;

  beforeAll(async () => {
    store = new LapStore();
    const folder = join(store.folder, "guests");
    mkdirSync(folder);
    await buildGuests(folder);
    for (const [name, text] of Object.entries(GUESTS))
      writeFileSync(join(folder, `${name}.wasm`), await parseWat(text));
    guest = (name) => join(folder, `${name}.wasm`);
  });
  afterAll(() => store.close());

  it("end a spinning guest at its time", () => {
    expect(store.run(["run", "--rm", "--limit", "timeout=300ms", guest("spins")])).toMatchObject({
      code: 124,
      stderr: "lap: the guest ran longer than 300 ms\n",
    });
  });

  it("end a spinning guest at its processor time, and say so in inspect", () => {
    const run = store.run(["run", "--name", "used", "--limit", "cpu=300ms", guest("spins")]);
    expect(run).toMatchObject({ code: 152, stderr: "lap: the guest used more processor time than allowed\n" });
    const state = store.ok("inspect", "-f", "{{.State.ExitCode}} {{.State.Error}}", "used");
    expect(state).toBe("152 ERR_LAP_WASM_CPU: the guest used more processor time than allowed");
    store.ok("rm", "used");
    expect(store.run(["run", "--rm", "--limit", "cpu=300ms", guest("spins")])).toMatchObject({ code: 152 });
  });

  it("leave nothing of an earlier end in inspect", () => {
    const once = "[ -e /ran ] && exit 0; echo > /ran; while echo flood; do :; done";
    const args = ["--limit", "output=10k", "--entrypoint", "sh", guest("hello"), "-c", once];
    expect(store.run(["run", "--name", "again", ...args]).code).toBe(153);
    const error = (): string => store.ok("inspect", "-f", "{{.State.Error}}", "again");
    expect(error()).toBe("ERR_LAP_WASM_OUTPUT: the guest wrote more than 10240 bytes");
    expect(store.run(["start", "-a", "again"]).code).toBe(0);
    expect(error()).toBe("");
    store.ok("rm", "-f", "again");
  });

  it("end a flooding guest at its output", () => {
    const { code, stdout, stderr } = store.run(["run", "--rm", "--limit", "output=10k", guest("floods")]);
    expect({ code, stderr }).toEqual({ code: 153, stderr: "lap: the guest wrote more than 10240 bytes\n" });
    expect(stdout.length).toBeLessThanOrEqual(10_240);
  });

  it("refuse memory past -m, at the start and later", () => {
    expect(store.run(["run", "--rm", "-m", "16m", guest("eats")])).toMatchObject({ code: 15 });
    const large = store.run(["run", "--rm", "-m", "16m", guest("large")]);
    expect(large.code).toBe(126);
    expect(large.stderr).toMatch(/memory/);
  });

  it("refuse children past --pids-limit", () => {
    const script = "echo '#!/bin/sh\necho in $1; /again $(($1+1))' > /again; /again 1";
    const args = ["--pids-limit", "5", "--entrypoint", "sh", guest("hello"), "-c", script];
    const { code, stdout, stderr } = store.run(["run", "--rm", ...args]);
    expect(code).not.toBe(0);
    expect(stdout.split("\n").length).toBeLessThan(8);
    expect(stderr).toMatch(/EAGAIN|Resource temporarily unavailable|again/i);
  });

  it("say when the disk is full", () => {
    const script =
      "i=0; while echo 0123456789012345678901234567890123456789; do i=$((i+1)); done > /f; echo $i > /dev/null; [ $i -gt 100 ]";
    const args = ["--limit", "disk=64k", "--entrypoint", "sh", guest("hello"), "-c", script];
    const { code, stderr } = store.run(["run", "--rm", ...args]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "sh: echo: ENOSPC\n" });
  });

  it("leave no half-written text behind without a word", () => {
    const full = store.run([
      "run",
      "--rm",
      "--limit",
      "disk=10",
      guest("hello"),
      "write",
      "/x",
      "a text of more than that",
    ]);
    expect(full).toMatchObject({ code: 1, stderr: "hello: errno 051: /x\n" });
  });

  it("say what a guest died of", () => {
    expect(store.run(["run", "--rm", guest("traps")])).toMatchObject({
      code: 134,
      stderr: "lap: the guest trapped: unreachable\n",
    });
  });

  it("put the payload into a cgroup with the guest's memory and room for its host", () => {
    store.ok("run", "-d", "--name", "bounded", "-m", "64m", "--cpus", "0.5", guest("spins"));
    const id = store.ok("inspect", "--format", "{{.Id}}", "bounded");
    const limit = cgroupFile(id, "memory.limit_in_bytes") ?? cgroupFile(id, "memory.max");
    const quota = cgroupFile(id, "cpu.cfs_quota_us") ?? cgroupFile(id, "cpu.max")?.split(" ")[0];
    expect({ limit, quota }).toEqual({ limit: String((2 * 64 + 256) * 2 ** 20), quota: "50000" });
    store.ok("rm", "-f", "bounded");
  });

  it.each([["--privileged"], ["--cap-add", "NET_ADMIN"], ["--user", "1"], ["--add-host", "a:1.2.3.4"]])(
    "refuse what no guest can have: %s",
    (...flags) => {
      const { code, stderr } = store.run(["run", "--rm", ...flags, guest("hello")]);
      expect(code).toBe(125);
      expect(stderr).toContain(`a Wasm container does not take ${flags[0]}`);
    },
  );

  it("take --ulimit nofile for the guest, and no other", () => {
    const script = "exec 3< /hello.wasm && exec 4< /hello.wasm && exec 5< /hello.wasm && echo opened";
    const sh = ["--entrypoint", "sh", guest("hello"), "-c", script];
    expect(store.run(["run", "--rm", ...sh]).stdout).toBe("opened\n");
    const other = store.run(["run", "--rm", "--ulimit", "core=1", guest("hello")]);
    expect(other.stderr).toContain("does not take --ulimit core");
    expect(
      store.run(["run", "--rm", "--ulimit", "nofile=4", guest("hello"), "cat", "/hello.wasm", "cat", "/hello.wasm"])
        .code,
    ).toBe(1);
  });

  it("end a spinning guest by lap stop, with the signal's code", async () => {
    store.ok("run", "-d", "--name", "spinning", guest("speaks"));
    // Before, nobody in the container takes signals.
    await until("it spins", () => store.ok("logs", "spinning") === "+");
    store.ok("stop", "-t", "1000", "spinning");
    expect(store.ok("inspect", "--format", "{{.State.ExitCode}}", "spinning")).toBe("143");
    store.ok("rm", "spinning");
  });

  it("read-only roots take no writes, tmpfs takes as many as its size", () => {
    const ro = store.run(["run", "--rm", "--read-only", guest("hello"), "write", "/x", "y"]);
    expect(ro).toMatchObject({ code: 1, stderr: "hello: errno 069: /x\n" });
    const fill = "while echo 0123456789012345678901234567890123456789; do :; done > /t/f";
    const args = ["--read-only", "--tmpfs", "/t:size=64k", "--entrypoint", "sh", guest("hello"), "-c", fill];
    expect(store.run(["run", "--rm", ...args]).stderr).toBe("sh: echo: ENOSPC\n");
  });
});

/** A file of the container's cgroup, wherever that controller is mounted. */
function cgroupFile(id: string, file: string): string | undefined {
  for (const mount of ["", ...readdirSync("/sys/fs/cgroup")]) {
    try {
      return readFileSync(join("/sys/fs/cgroup", mount, "lapstrake", id, file), "utf8").trim();
    } catch {
      continue; // this hierarchy has no such file
    }
  }
  return undefined;
}
