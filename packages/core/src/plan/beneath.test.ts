// A source that others may swap: opened by the helper beneath a directory, and before the ids change.
import { expect, it } from "vitest";
import { mountOps } from "./mounts.ts";
import type { HostFacts } from "../facts/types.ts";
import { inUserNamespace } from "./userns.ts";
import type { PlanOp } from "./types.ts";

const NO_IDS = { uidMap: [], gidMap: [] };
const VIEW = { hasNamespace: true, inUserNamespace: false, cgroups: {} as never };

function ops(source: string, beneath?: string): PlanOp[] {
  const mount = { destination: "/p", type: "bind", source, options: ["rbind"] };
  return mountOps(beneath === undefined ? mount : { ...mount, beneath }, 3, {} as HostFacts, NO_IDS, VIEW);
}

it("is opened right before its mount", () => {
  expect(ops("/volumes/v/sub", "/volumes/v")).toMatchObject([
    { op: "openBeneath", source: "/volumes/v/sub", base: "/volumes/v" },
    { op: "mountBind", source: "/volumes/v/sub", target: "/p" },
  ]);
  expect(ops("/volumes/v").map(({ op }) => op)).toEqual(["mountBind"]);
});

it.each([
  ["/volumes/v", "/volumes/v"],
  ["/volumes/other", "/volumes/v"],
  ["/volumes/vv", "/volumes/v"],
  ["/v/sub", "v"],
])("is refused for %s beneath %s", (source, beneath) => {
  expect(() => ops(source, beneath)).toThrow(`mounts[3]: its source must be beneath "${beneath}"`);
});

it("is opened with the host's ids, and not as a plain source too", () => {
  const inside = inUserNamespace([...ops("/plain"), ...ops("/volumes/v/sub", "/volumes/v")], []);
  expect(inside.map(({ op }) => op)).toEqual(["openBeneath", "openSources", "mappedRoot", "mountBind", "mountBind"]);
  expect(inside[1]).toEqual({ op: "openSources", paths: ["/plain"] });
});
