import { expect, it } from "vitest";
import { ERRNO, errorCode, fsError, systemError } from "./errno.ts";
import { LapError, isLapError } from "./errors.ts";

it("tells kinds apart across copies of the package", () => {
  const error = new LapError("notFound", "ERR_LAP_X", "no x", { hint: "make one" });
  expect(isLapError(error)).toBe(true);
  expect(isLapError(error, "notFound")).toBe(true);
  expect(isLapError(error, "conflict")).toBe(false);
  expect(isLapError(new Error("x"))).toBe(false);
});

it("gives one frozen filesystem error per errno, without a stack", () => {
  const error = fsError(ERRNO.ENOENT);
  expect(error).toBe(fsError(ERRNO.ENOENT));
  expect(error).toMatchObject({ code: "ENOENT", errno: -2 });
  expect(error.stack?.split("\n").length).toBe(1);
  expect(Object.isFrozen(error)).toBe(true);
});

it("shapes system errors as Node does", () => {
  expect(systemError(ERRNO.EACCES, "open", "/x")).toMatchObject({
    code: "EACCES",
    errno: -13,
    syscall: "open",
    path: "/x",
  });
  expect(errorCode(systemError(999, "open"))).toBe("E999");
});
