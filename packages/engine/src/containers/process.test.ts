import { describe, expect, it } from "vitest";
import type { ExecConfig } from "@lapstrake/base";
import { recordProcess } from "./process.ts";
import type { CreateRequest } from "./request.ts";

const image = { Entrypoint: ["/entry"], Cmd: ["default"], Env: ["A=1", "PATH=/bin"], WorkingDir: "/work", User: "u" };
const of = (request: Partial<CreateRequest>, config: ExecConfig = image): ReturnType<typeof recordProcess> =>
  recordProcess({ image: "x", ...request }, config, "box");

describe("recordProcess", () => {
  it("merges entrypoint and command as docker does", () => {
    expect(of({}).args).toEqual(["/entry", "default"]);
    expect(of({ command: ["a", "b"] }).args).toEqual(["/entry", "a", "b"]);
    expect(of({ entrypoint: ["sh"] }).args).toEqual(["sh"]);
    expect(of({ entrypoint: ["sh"], command: ["-c"] }).args).toEqual(["sh", "-c"]);
    expect(of({ entrypoint: [""], command: ["ls"] }).args).toEqual(["ls"]);
    expect(() => of({}, {})).toThrow("no command specified");
  });

  it("lets the request's environment win and drops bare names", () => {
    expect(of({ env: ["A=2", "B", "C=3"], tty: true }).env).toEqual([
      "PATH=/bin",
      "HOSTNAME=box",
      "TERM=xterm",
      "A=2",
      "C=3",
    ]);
  });

  it("refuses a relative working directory in docker's words", () => {
    expect(() => of({ workdir: "rel" })).toThrow(
      "the working directory 'rel' is invalid, it needs to be an absolute path",
    );
    expect(of({}, { Cmd: ["x"], WorkingDir: "" }).cwd).toBe("/");
  });
});
