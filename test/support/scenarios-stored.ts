// What people do with images, and with everything at once.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { LapStore } from "./lap.ts";
import { created, gone, run, running, type Scenario } from "./scenario.ts";

const layout = (store: LapStore): string => join(store.folder, "layout");
const made = (store: LapStore): void => {
  gone(store);
  run(store, "rmi", "-f", "made:1");
};
/** A container that wrote a file. */
const wrote = (store: LapStore): void => {
  made(store);
  store.ok("run", "--name", "cc", "progs:1", "sh", "-c", "echo x > /made");
};
const isMade = (store: LapStore): void => expect(store.ok("run", "--rm", "made:1", "cat", "/made")).toBe("x");

export const STORED: readonly Scenario[] = [
  { name: "commit", command: ["commit", "cc", "made:1"], before: wrote, after: isMade },
  { name: "snapshot", command: ["snapshot", "cc", "made:1"], before: wrote, after: isMade },
  {
    name: "snapshot of a running one",
    command: ["snapshot", "cc", "made:1"],
    before: (store) => {
      made(store);
      running()(store);
      store.ok("exec", "cc", "sh", "-c", "echo x > /made");
    },
    after: (store) => {
      isMade(store);
      expect(store.ok("inspect", "--format", "{{.State.Status}}", "cc")).toBe("running");
    },
  },
  {
    name: "import",
    command: ["import", "FOLDER/made.tar", "made:1"],
    before: (store) => {
      wrote(store);
      store.ok("export", "-o", join(store.folder, "made.tar"), "cc");
      gone(store);
    },
    after: isMade,
  },
  {
    name: "tag",
    command: ["tag", "progs:1", "made:1"],
    before: made,
    after: (store) => expect(store.ok("images", "-q", "made:1")).toBe(store.ok("images", "-q", "progs:1")),
  },
  {
    name: "rmi",
    command: ["rmi", "made:1"],
    before: (store) => {
      wrote(store);
      store.ok("commit", "cc", "made:1");
      gone(store);
    },
    after: (store) => expect(store.ok("images", "-q", "made:1")).toBe(""),
    done: /No such image/,
  },
  {
    name: "save",
    command: ["save", "-o", "FOLDER/saved.tar", "progs:1"],
    before: (store) => {
      gone(store);
      rmSync(join(store.folder, "saved.tar"), { force: true });
    },
    after: (store) => void store.ok("load", "-i", join(store.folder, "saved.tar")),
  },
  {
    name: "load",
    command: ["load", "-i", "FOLDER/layout"],
    before: (store) => {
      made(store);
      run(store, "rmi", "-f", "progs:1");
    },
    after: (store) => expect(store.ok("run", "--rm", "progs:1", "echo", "hi")).toBe("hi"),
  },
  {
    name: "system prune",
    command: ["system", "prune", "-a", "-f", "--volumes"],
    before: (store) => {
      gone(store);
      store.ok("load", "-i", layout(store));
      run(store, "network", "create", "cn");
      store.ok("run", "--name", "cc", "-v", "/anonymous", "progs:1", "true");
    },
    after: (store) => {
      const left = ["ps", "images", "volume ls"].map((what) =>
        store.ok(...what.split(" "), what === "ps" ? "-aq" : "-q"),
      );
      expect(left).toEqual(["", "", ""]);
      store.ok("load", "-i", layout(store));
    },
  },
  {
    name: "system check --repair",
    command: ["system", "check", "--repair", "--older-than", "0s"],
    before: (store) => {
      created("true")(store);
      rmSync(join(store.root, "names/cc"));
    },
    after: (store) => expect(store.ok("ps", "-aq")).toBe(""),
  },
];
