import { LapError } from "@lapstrake/base";
import { expect, it } from "vitest";
import { inDockersWords } from "./registry-words.ts";

const failing = (code: string, host: string, cause: object): Promise<unknown> =>
  inDockersWords(() =>
    Promise.reject(new LapError("unavailable", code, "ours", { cause, detail: { host }, hint: "check" })),
  );

it("tells of connections that could not be made as docker does", async () => {
  const refused = {
    errors: [
      { code: "ECONNREFUSED", address: "127.0.0.1", port: 1 },
      { code: "ECONNREFUSED", address: "::1" },
    ],
  };
  await expect(failing("ERR_LAP_HTTP_REFUSED", "127.0.0.1:1", refused)).rejects.toThrow(
    'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
  );
  await expect(
    failing("ERR_LAP_HTTP_REFUSED", "x.invalid", { code: "ENOTFOUND", hostname: "x.invalid" }),
  ).rejects.toThrow(/^Get "https:\/\/x\.invalid\/v2\/": dial tcp: lookup x\.invalid on \S+:53: no such host$/);
});

it("leaves everything else as it is", async () => {
  await expect(failing("ERR_LAP_HTTP_REFUSED", "x", { code: "EPERM" })).rejects.toThrow("ours");
  await expect(failing("ERR_LAP_HTTP_TLS", "x", { code: "CERT_HAS_EXPIRED" })).rejects.toThrow("ours");
  await expect(inDockersWords(() => Promise.resolve(1))).resolves.toBe(1);
});
