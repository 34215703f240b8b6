// What people do with volumes.
import { expect } from "vitest";
import { hasFact } from "./facts.ts";
import { gone, run, type Scenario } from "./scenario.ts";

/** An upper of a bounded size needs a machine that makes them. */
const SIZED: readonly Scenario[] = [
  {
    name: "run --storage-opt size",
    command: ["run", "--name", "cc", "--storage-opt", "size=16m", "progs:1", "touch", "/made"],
    before: gone,
    after: (store) => {
      run(store, "start", "cc");
      expect(store.ok("diff", "cc")).toContain("A /made");
      gone(store);
    },
    done: /already in use/,
  },
];

export const VOLUMES: readonly Scenario[] = [
  {
    name: "run -v",
    command: ["run", "--name", "cc", "-v", "cv:/data", "-v", "/anonymous", "progs:1", "cat", "/data/file"],
    before: (store) => {
      gone(store);
      run(store, "volume", "rm", "-f", "cv");
    },
    // The image's file was copied into the volume whole.
    after: (store) => expect(store.ok("run", "--rm", "-v", "cv:/x", "progs:1", "cat", "/x/file")).toBe("upper"),
    done: /already in use/,
  },
  {
    name: "rm -v",
    command: ["rm", "-f", "-v", "cc"],
    before: (store) => {
      gone(store);
      run(store, "volume", "prune", "-af");
      store.ok("run", "--name", "cc", "-v", "/anonymous", "progs:1", "true");
    },
    after: (store) => {
      expect(store.ok("ps", "-aq")).toBe("");
      // A volume whose container is gone already is what prune is for.
      store.ok("volume", "prune", "-f");
      expect(store.ok("volume", "ls", "-q")).toBe("");
    },
    done: /No such container/,
  },
  {
    name: "volume create",
    command: ["volume", "create", "cv"],
    before: (store) => {
      gone(store);
      run(store, "volume", "rm", "-f", "cv");
    },
    after: (store) => expect(store.ok("run", "--rm", "-v", "cv:/data", "progs:1", "cat", "/data/file")).toBe("upper"),
  },
  {
    name: "volume rm",
    command: ["volume", "rm", "cv"],
    before: (store) => {
      gone(store);
      store.ok("volume", "create", "cv");
    },
    after: (store) => expect(store.ok("volume", "ls", "-q", "--filter", "name=cv")).toBe(""),
    done: /no such volume/,
  },
  ...(hasFact("loop-ext4") ? SIZED : []),
];
