import { expect, it } from "vitest";
import { checkLog, logOrders, type LogRequest } from "./log-config.ts";

const log = (driver: string, options: Record<string, string> = {}): LogRequest => ({ driver, options });

it("rotates by default, and as told", () => {
  const twenty = 20 * 1024 * 1024;
  expect(logOrders(log("json-file"), "/l")).toEqual({ path: "/l", maxBytes: twenty, maxFiles: 5 });
  expect(logOrders(log("json-file", { "max-size": "10k" }), "/l")).toEqual({
    path: "/l",
    maxBytes: 10240,
    maxFiles: 1,
  });
  expect(logOrders(log("local", { "max-size": "10k" }), "/l")).toMatchObject({ maxBytes: 10240, maxFiles: 5 });
  expect(logOrders(log("json-file", { "max-size": "-1", "max-file": "3" }), "/l")).toMatchObject({
    maxBytes: 0,
    maxFiles: 3,
  });
  expect(logOrders(log("none"), "/l")).toBeNull();
});

it("refuses what it does not do, in docker's words where there are some", () => {
  expect(() => checkLog(log("json-file", { "max-file": "0" }))).toThrow("max-file cannot be less than 1");
  expect(() => checkLog(log("json-file", { foo: "1" }))).toThrow("unknown log opt 'foo' for json-file log driver");
  expect(() => checkLog(log("none", { "max-size": "1m" }))).toThrow("unknown log opt 'max-size' for none log driver");
  expect(() => checkLog(log("fluentd"))).toThrow('error looking up logging plugin fluentd: plugin "fluentd" not found');
  expect(() => checkLog(log("json-file", { compress: "true" }))).toThrow("is not supported");
  expect(() => checkLog(log("json-file", { mode: "blocking", "max-size": "x" }))).toThrow("invalid value for max-size");
  expect(() => checkLog(log("journald"))).toThrow(/journald/);
});
