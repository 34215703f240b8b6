import { expect, it } from "vitest";
import type { ContainerRecord } from "../state/record.ts";
import { checkLog, compressesLog, logOrders, type LogRequest } from "./log-config.ts";

const log = (driver: string, options: Record<string, string> = {}): LogRequest => ({ driver, options });

const record = {
  id: "0123456789abcdef".repeat(4),
  name: "web",
  image: { name: "shop:1", id: "sha256:aaaaaaaaaa", labels: { maker: "me", "com.a": "1" } },
  process: { env: ["MODE=dev", "EMPTY=", "PATH=/bin"], args: ["run", "it"] },
  request: { labels: { "com.b": "2" } },
} as unknown as ContainerRecord;

const orders = (request: LogRequest): ReturnType<typeof logOrders> => logOrders(record, request, "/l");

it("rotates by default, and as told", () => {
  const twenty = 20 * 1024 * 1024;
  expect(orders(log("json-file"))).toEqual({ path: "/l", maxBytes: twenty, maxFiles: 5 });
  expect(orders(log("json-file", { "max-size": "10k" }))).toEqual({ path: "/l", maxBytes: 10_000, maxFiles: 1 });
  expect(orders(log("local", { "max-size": "10k" }))).toMatchObject({ maxBytes: 10_000, maxFiles: 5 });
  expect(orders(log("json-file", { "max-size": "-1", "max-file": "3" }))).toMatchObject({ maxBytes: 0, maxFiles: 3 });
  expect(orders(log("none"))).toBeNull();
});

it("compresses local unless told not to, json-file when told to", () => {
  expect(compressesLog(log("local"))).toBe(true);
  expect(compressesLog(log("local", { compress: "false" }))).toBe(false);
  expect(compressesLog(log("json-file"))).toBe(false);
  const asked = log("json-file", { compress: "true", "max-size": "1m", "max-file": "2" });
  checkLog(asked);
  expect(compressesLog(asked)).toBe(true);
});

it("gives lines labels, variables and a tag", () => {
  const options = {
    labels: "maker,none",
    "labels-regex": "^com\\.",
    env: "MODE",
    "env-regex": "^EM",
    tag: "{{.Name}}/{{ .ID }}",
  };
  expect(JSON.parse(orders(log("json-file", options))!.attrs!)).toEqual({
    EMPTY: "",
    MODE: "dev",
    "com.a": "1",
    "com.b": "2",
    maker: "me",
    tag: "web/0123456789ab",
  });
  expect(orders(log("local", { labels: "none" }))).not.toHaveProperty("attrs");
});

it("lets output wait in memory when told not to block", () => {
  expect(orders(log("local", { mode: "non-blocking" }))).toMatchObject({ bufferBytes: 2 ** 20 });
  const small = { mode: "non-blocking", "max-buffer-size": "4m" };
  expect(orders(log("json-file", small))).toMatchObject({ bufferBytes: 4 * 2 ** 20 });
  expect(orders(log("json-file", { mode: "blocking" }))).not.toHaveProperty("bufferBytes");
});

it("refuses what it does not do, in docker's words where there are some", () => {
  const refused: readonly (readonly [LogRequest, string])[] = [
    [log("json-file", { "max-file": "0" }), "max-file cannot be less than 1"],
    [log("json-file", { foo: "1" }), "unknown log opt 'foo' for json-file log driver"],
    [log("local", { foo: "1" }), "unknown log opt 'foo' for log driver local"],
    [log("journald", { "max-size": "1m" }), "unknown log opt 'max-size' for journald log driver"],
    [log("none", { "max-size": "1m" }), "invalid logging opts for driver none"],
    [log("fluentd"), "logger: no log driver named 'fluentd' is registered"],
    [
      log("json-file", { compress: "true" }),
      "compress cannot be true when max-file is less than 2 or max-size is not set",
    ],
    [log("local", { compress: "maybe" }), 'strconv.ParseBool: parsing "maybe": invalid syntax'],
    [log("json-file", { mode: "blocking", "max-size": "x" }), "invalid size: 'x'"],
    [log("json-file", { mode: "sometimes" }), "logger: logging mode not supported: sometimes"],
    [log("json-file", { "max-buffer-size": "1m" }), "only supported with 'mode=non-blocking'"],
    [log("json-file", { "labels-regex": "(" }), "error parsing regexp"],
    [log("json-file", { tag: "{{.Nope}}" }), "a tag cannot have {{.Nope}}"],
    [log("json-file", { tag: "{{upper .Name}}" }), "a tag cannot have {{upper .Name}}"],
  ];
  for (const [request, text] of refused) expect(() => checkLog(request)).toThrow(text);
});
