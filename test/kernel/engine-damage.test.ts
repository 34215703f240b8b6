// Damaged files of a store: whatever one of them says, the others are used as before, the error names the file, and
// `system check --repair` mends it or moves it to damaged/, where what it held is kept.
import {
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore, nothingLeft } from "../support/lap.ts";

/** What happens to a file. Reads of /proc/self/mem fail with EIO. */
const DAMAGES: Readonly<Record<string, (path: string) => void>> = {
  empty: (path) => writeFileSync(path, ""),
  cut: (path) => writeFileSync(path, readFileSync(path).subarray(0, 100)),
  garbage: (path) => writeFileSync(path, Buffer.from("\0\u{1}{\u{2}\xff".repeat(200), "latin1")),
  "another type": (path) => writeFileSync(path, "[1]"),
  "a directory": (path) => {
    rmSync(path);
    mkdirSync(path);
  },
  unreadable: (path) => {
    rmSync(path);
    symlinkSync("/proc/self/mem", path);
  },
};

needs("root", "overlayfs", "native").describe("damaged files of a store", () => {
  let store: LapStore;
  let id: string;
  let networkId: string;
  const only = (folder: string): string => join(store.root, folder, readdirSync(join(store.root, folder))[0]!);

  beforeAll(() => {
    store = new LapStore();
    store.loadPrograms();
    networkId = store.ok("network", "create", "dn");
    store.ok("create", "--name", "well", "--network", "none", "progs:1", "cat", "/data/file");
    store.ok(
      "run",
      "--name",
      "ill",
      "-v",
      "dv:/v",
      "--network",
      "none",
      "progs:1",
      "sh",
      "-c",
      "echo mine > /v/file; echo mine > /f",
    );
    id = readlinkSync(join(store.root, "names/ill"));
  });
  afterAll(async () => {
    const { folder } = store;
    store.run(["network", "rm", "dn"]);
    store[Symbol.dispose]();
    await nothingLeft(folder);
  });

  const record = (): string => join(store.root, "containers", id, "record.json");
  const network = (): string => join(store.root, "networks", `${networkId}.json`);

  /** The file, a command that needs it, and one that lists the others. */
  const FILES: readonly [what: string, path: () => string, command: string, list: string][] = [
    ["a container's record", record, "inspect ill", "ps -a"],
    ["a container's status", () => join(store.root, "containers", id, "status"), "start ill", "ps -a"],
    ["a volume's record", () => join(store.root, "volumes/dv/record.json"), "volume inspect dv", "volume ls"],
    ["a network's record", network, "network inspect dn", "network ls"],
  ];
  const CASES = FILES.flatMap(([what, path, command, list], file) =>
    Object.keys(DAMAGES)
      // Each file meets half of the damages; of a status that is cut the rest is zeros, which is all right.
      .filter((damage, at) => (at + file) % 2 === 0 && !(damage === "cut" && command === "start ill"))
      .map((damage) => ({ what, damage, path, command, list })),
  );

  it.each(CASES)("$what: $damage", ({ damage, path, command, list }) => {
    const file = path();
    const before = readFileSync(file);
    DAMAGES[damage]!(file);
    const { code, stderr } = store.run(command.split(" "));
    const others = store.run(list.split(" "));
    rmSync(file, { recursive: true });
    writeFileSync(file, before);
    expect([code, stderr]).toEqual([1, expect.stringContaining(file)]);
    expect([others.code, others.stderr]).toEqual([0, expect.not.stringContaining("error")]);
    if (list === "ps -a") expect(others.stdout).toMatch(/ well$/m);
  });

  it("all of them at once are found, and everything else goes on", () => {
    const files = FILES.map(([, path]) => path());
    const before = files.map((file) => readFileSync(file));
    for (const file of files) writeFileSync(file, "?");
    const { code, stdout } = store.run(["system", "check", "--quick", "--older-than", "0s"]);
    expect(store.ok("start", "-a", "well")).toBe("upper");
    files.forEach((file, at) => void writeFileSync(file, before[at]!));
    expect([code, stdout]).toEqual([1, expect.stringMatching(/^4 found, 0 repaired/m)]);
    expect(store.ok("system", "check", "--quick", "--older-than", "0s")).toBe("clean");
  });

  it("repair keeps what a container with a damaged record wrote", () => {
    writeFileSync(record(), "");
    expect(store.ok("system", "check", "--quick", "--repair", "--older-than", "0s")).toContain(id);
    expect(readFileSync(join(only("damaged"), "upper/f"), "utf8")).toBe("mine\n");
    expect(store.ok("ps", "-a", "--format", "{{.Names}}")).toBe("well");
    rmSync(join(store.root, "damaged"), { recursive: true });
  });

  it("repair keeps the files of a volume, and takes a network's record away", () => {
    writeFileSync(join(store.root, "volumes/dv/record.json"), "{");
    writeFileSync(network(), "{");
    store.ok("system", "check", "--quick", "--repair", "--older-than", "0s");
    expect(store.ok("run", "--rm", "--network", "none", "-v", "dv:/v", "progs:1", "cat", "/v/file")).toBe("mine");
    expect(store.ok("network", "ls", "-q", "--filter", "name=dn")).toBe("");
  });

  it("repair writes an image's record again, and gives a container that was used its name back", () => {
    store.ok("run", "--name", "named", "--network", "none", "progs:1", "true");
    rmSync(join(store.root, "names/named"));
    writeFileSync(only("images/images"), "{}");
    expect(store.ok("images", "-q")).toBe("");
    store.ok("system", "check", "--repair", "--older-than", "0s");
    expect(store.ok("run", "--rm", "--network", "none", "progs:1", "cat", "/data/file")).toBe("upper");
    expect(store.ok("start", "-a", "named")).toBe("");
    expect(store.ok("system", "check", "--older-than", "0s")).toBe("clean");
  });

  it("what is no name is in nobody's way for ever", () => {
    writeFileSync(join(store.root, "names/odd"), "");
    const { code, stderr } = store.run(["create", "--name", "odd", "progs:1", "true"]);
    expect(code).not.toBe(0);
    expect(stderr).toContain(join(store.root, "names/odd"));
    store.ok("system", "check", "--quick", "--repair", "--older-than", "0s");
    store.ok("create", "--name", "odd", "progs:1", "true");
    expect(lstatSync(join(store.root, "names/odd")).isSymbolicLink()).toBe(true);
  });
});
