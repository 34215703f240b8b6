import { expect, it } from "vitest";
import { execConfigFault } from "./exec-config.ts";

it.each([undefined, null, {}, { Cmd: null, Env: ["A=1"], Labels: { a: "b" }, Volumes: { "/x": {} }, Extra: 7 }])(
  "takes %j",
  (config) => {
    expect(execConfigFault(config)).toBeUndefined();
  },
);

it.each([
  [7, "config is not an object"],
  [[], "config is not an object"],
  [{ Cmd: "sh" }, "config.Cmd is not a list of texts"],
  [{ Cmd: [1] }, "config.Cmd is not a list of texts"],
  [{ Env: { a: 1 } }, "config.Env is not a list of texts"],
  [{ Env: ["A=\0"] }, "config.Env is not a list of texts"],
  [{ Entrypoint: {} }, "config.Entrypoint is not a list of texts"],
  [{ User: 5 }, "config.User is not text"],
  [{ WorkingDir: [] }, "config.WorkingDir is not text"],
  [{ Labels: [1] }, "config.Labels is not an object"],
  [{ Labels: { a: 1 } }, "config.Labels are not texts"],
])("refuses %j", (config, why) => {
  expect(execConfigFault(config)).toBe(why);
});
