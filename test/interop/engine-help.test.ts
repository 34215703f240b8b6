// The recorded help of docker ($LAP_DOCKER_CAPTURES/help-*.txt) beside ours: every command and every flag of docker's that concerns one
// machine is known to us, with the same short letter and the same kind of value. What is left out is named with its reason.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { env } from "node:process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";

/** Commands of docker that have no sense on one machine without a daemon, or that another room answers. */
const NO_COMMAND: readonly (readonly [RegExp, string])[] = [
  [/^(?:build|builder.*|buildx.*|image build)$/, "the builder is a room of its own"],
  [/^(?:compose1.*|compose.*)$/, "compose is a room of its own"],
  [/^(?:config|node|secret|service|stack|swarm)(?: .*)?$/, "there is no swarm"],
  [/^(?:manifest|plugin|trust|checkpoint)(?: .*)?$/, "no plugins, no Notary"],
  [/^context (?!ls|show|use)/, "no daemon to choose: there is one context"],
];

interface RecordedFlag {
  readonly long: string;
  readonly short: string | undefined;
  /** Empty for a switch. */
  readonly value: string;
}

/** `  -c, --cpu-shares int   Text`. */
function flagsIn(help: string): RecordedFlag[] {
  return [...help.matchAll(/^ {2}(?:-(\w), | {4})--([\w-]+)(?: ([\w-]+))? {2,}\S/gm)].map(
    ([, short, long = "", value = ""]) => ({
      long,
      short,
      value,
    }),
  );
}

function shown({ long, short, value }: RecordedFlag): string {
  return `${short === undefined ? "" : `-${short}, `}--${long}${value === "" ? "" : ` ${value}`}`;
}

/** `help-container-run.txt` -> `container run`. */
function commandOf(file: string): string {
  return file.slice("help-".length, -".txt".length).replace("-", " ");
}

needs("native", "env:LAP_DOCKER_CAPTURES").describe("docker's help", () => {
  const folder = env["LAP_DOCKER_CAPTURES"] ?? "";
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => /^help-(?!00).*\.txt$/.test(name)) : [];
  const wanted = files.filter((file) => !NO_COMMAND.some(([pattern]) => pattern.test(commandOf(file))));

  let store: LapStore;
  beforeAll(() => {
    store = new LapStore();
  });
  afterAll(() => store.close());

  it.each(wanted)("%s", (file) => {
    const command = commandOf(file);
    const { code, stdout, stderr } = store.run([...command.split(" "), "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const recorded = readFileSync(join(folder, file), "utf8");
    const ours = flagsIn(stdout).map(shown);
    const missing = flagsIn(recorded)
      .filter(({ long }) => long !== "help")
      .map(shown);
    expect(missing.filter((flag) => !ours.includes(flag))).toEqual([]);
    expect(stdout.split("\n")[0]).toBe(recorded.split("\n")[0]!.replace("docker", "lap"));
  });
});
