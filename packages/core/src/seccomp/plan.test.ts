import { describe, expect, test } from "vitest";
import type { RuntimeSpec, SeccompSpec } from "@lapstrake/base";
import { seccompFor } from "./plan.ts";

const OWNER = { id: "c1" };
const FACTS = { arch: "x86_64" } as const;

function spec(seccomp?: SeccompSpec): RuntimeSpec {
  return { ociVersion: "1.2.0", linux: seccomp === undefined ? {} : { seccomp } };
}

const DENY: SeccompSpec = {
  defaultAction: "SCMP_ACT_ALLOW",
  flags: ["SECCOMP_FILTER_FLAG_LOG"],
  syscalls: [{ names: ["mkdir", "nope"], action: "SCMP_ACT_ERRNO" }],
};

describe("seccompFor", () => {
  test("no profile, no operation", () => {
    expect(seccompFor(spec(), FACTS, OWNER)).toEqual({ ops: [], warnings: [] });
  });

  test("one operation with flags and program; warnings beside it", () => {
    const { ops, warnings } = seccompFor(spec(DENY), FACTS, OWNER);
    expect(ops).toEqual([{ op: "seccomp", flags: 2, filter: expect.any(Uint8Array) as Uint8Array }]);
    expect(warnings).toEqual(["linux.seccomp: unknown system calls ignored: nope"]);
  });

  const notify: SeccompSpec = {
    defaultAction: "SCMP_ACT_ALLOW",
    listenerPath: "/run/agent.sock",
    listenerMetadata: 'a "word"',
    syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }],
  };

  test("a listener goes to its agent with the state of the container", () => {
    const annotated = { ...spec(notify), annotations: { key: "value" } };
    const [op] = seccompFor(annotated, FACTS, { id: "c1", bundle: "/b" }).ops;
    expect(op).toMatchObject({ op: "seccompNotify", flags: 8 | 4, path: "/run/agent.sock" });
    const state = {
      ociVersion: "1.2.0",
      id: "c1",
      status: "creating",
      pid: 7,
      bundle: "/b",
      annotations: { key: "value" },
    };
    expect(JSON.parse((op!["state"] as string).replaceAll("\u0001", "7"))).toEqual({
      ociVersion: "1.2.0",
      fds: ["seccompFd"],
      pid: 7,
      metadata: 'a "word"',
      state,
    });
  });

  test("for a process that is added, the state is the container's", () => {
    const [op] = seccompFor(spec(notify), FACTS, { id: "c1", pid: 5 }).ops;
    const state = JSON.parse((op!["state"] as string).replaceAll("\u0001", "7")) as object;
    expect(state).toMatchObject({ pid: 7, state: { status: "running", pid: 5, bundle: "" } });
  });

  test("a listener without its agent is refused", () => {
    const { listenerPath: _, ...without } = notify;
    for (const profile of [without, { ...notify, listenerPath: "agent.sock" }]) {
      expect(() => seccompFor(spec(profile), FACTS, OWNER)).toThrow(
        "linux.seccomp.listenerPath: SCMP_ACT_NOTIFY needs",
      );
    }
  });
});
