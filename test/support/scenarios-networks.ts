// What people do with networks and ports.
import { expect } from "vitest";
import type { LapStore } from "./lap.ts";
import { gone, run, running, state, type Scenario } from "./scenario.ts";

const count = (store: LapStore): string => store.ok("inspect", "--format", "{{len .NetworkSettings.Networks}}", "cc");
const away = (store: LapStore): void => {
  gone(store);
  store.ok("network", "rm", "cn");
};
const network = (store: LapStore): void => {
  gone(store);
  run(store, "network", "create", "cn");
};

export const NETWORKS: readonly Scenario[] = [
  {
    name: "network create",
    command: ["network", "create", "cn"],
    before: (store) => {
      gone(store);
      run(store, "network", "rm", "cn");
    },
    after: (store) => {
      expect(store.ok("run", "--rm", "--network", "cn", "progs:1", "echo", "on")).toBe("on");
      away(store);
    },
    done: /already exists/,
  },
  {
    name: "network rm",
    command: ["network", "rm", "cn"],
    before: network,
    after: (store) => expect(store.ok("network", "ls", "-q", "--filter", "name=cn")).toBe(""),
    done: /not found/,
  },
  {
    name: "a life on a network of its own",
    command: "lap run -d --name cc --network cn -p 127.0.0.1::80 progs:1 sleep 100 || lap start cc",
    before: network,
    after: (store) => {
      expect(state(store, "cc")).toBe("running 0");
      expect(store.ok("port", "cc")).toMatch(/^80\/tcp -> 127\.0\.0\.1:\d+$/);
      away(store);
    },
  },
  {
    name: "network connect",
    command: ["network", "connect", "cn", "cc"],
    before: (store) => {
      network(store);
      running()(store);
    },
    after: (store) => {
      expect(count(store)).toBe("2");
      away(store);
    },
    done: /already exists|already attached/,
  },
  {
    name: "network disconnect",
    command: ["network", "disconnect", "cn", "cc"],
    before: (store) => {
      network(store);
      running("--network", "cn")(store);
    },
    after: (store) => {
      expect(count(store)).toBe("0");
      store.ok("network", "rm", "cn");
    },
    done: /is not connected/,
  },
  {
    name: "update --publish",
    command: ["update", "--publish", "127.0.0.1::80", "cc"],
    before: running(),
    after: (store) => expect(store.ok("port", "cc")).toMatch(/^80\/tcp -> 127\.0\.0\.1:\d+$/m),
    done: /already/,
  },
];
