import { describe, expect, it } from "vitest";
import { normalise } from "./normalise.ts";
import { parseCommand } from "./parse.ts";
import { UsageError, type Command } from "./types.ts";

const command: Command = {
  name: "run",
  usage: "[OPTIONS] IMAGE",
  summary: "",
  minArgs: 1,
  maxArgs: Infinity,
  interspersed: false,
  errorExitCode: 125,
  flags: [
    { long: "interactive", short: "i", kind: "bool", help: "" },
    { long: "tty", short: "t", kind: "bool", help: "" },
    { long: "env", short: "e", kind: "list", help: "" },
    { long: "memory", short: "m", kind: "bytes", help: "" },
    { long: "name", kind: "string", help: "" },
    { long: "pids-limit", kind: "int", help: "" },
  ],
  run: () => Promise.resolve(0),
};

function flagsOf(...argv: string[]): unknown {
  const { flags, args } = parseCommand(command, argv);
  return { ...flags, args };
}

describe("pflag's dialect", () => {
  it.each([
    [["-it", "x"], { interactive: true, tty: true, args: ["x"] }],
    [["-ite", "A=1", "x"], { interactive: true, tty: true, env: ["A=1"], args: ["x"] }],
    [["-eA=1", "-e=B=2", "--env=C=3", "--env", "D=4", "x"], { env: ["A=1", "B=2", "C=3", "D=4"], args: ["x"] }],
    [["--tty=false", "x"], { tty: false, args: ["x"] }],
    [["-t=0", "x"], { tty: false, args: ["x"] }],
    [["-m", "1g", "x"], { memory: 1024 ** 3, args: ["x"] }],
    [["--pids-limit", "-1", "x"], { "pids-limit": -1, args: ["x"] }],
    [["x", "-it", "--rm"], { args: ["x", "-it", "--rm"] }],
    [["--", "-x"], { args: ["-x"] }],
    [["--name", "--tty", "x"], { name: "--tty", args: ["x"] }],
    [["--name=", "x"], { name: "", args: ["x"] }],
    [["x", "--", "y"], { args: ["x", "--", "y"] }],
  ])("%j", (argv, expected) => {
    expect(flagsOf(...argv)).toEqual(expected);
  });

  it.each([
    [["--nosuch"], "unknown flag: --nosuch"],
    [["-z"], "unknown shorthand flag: 'z' in -z"],
    [["-itz"], "unknown shorthand flag: 'z' in -z"],
    [["--name"], "flag needs an argument: --name"],
    [["-e"], "flag needs an argument: 'e' in -e"],
    [["-m", "abc", "x"], 'invalid argument "abc" for "-m, --memory" flag: invalid size: \'abc\''],
    [
      ["--tty=maybe", "x"],
      'invalid argument "maybe" for "-t, --tty" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
  ])("refuses %j", (argv, message) => {
    expect(() => flagsOf(...argv)).toThrow(new UsageError(message, 125, "Run", false));
  });

  it("counts arguments in docker's words", () => {
    expect(() => flagsOf()).toThrow(new UsageError("'lap run' requires at least 1 argument", 1, "See", true));
  });

  it("finds flags behind arguments when interspersed", () => {
    const { args, tokens } = normalise(["x", "-t", "y"], { ...command, interspersed: true });
    expect(args).toEqual(["x", "y"]);
    expect(tokens.map(({ flag }) => flag.long)).toEqual(["tty"]);
  });
});
