import { readFileSync } from "node:fs";
import { parseWat } from "@lapstrake/wasm/component";
import { expect, it } from "vitest";
import { WARM_MODULE } from "./wasm-warm.ts";

it("has the bytes of wasm/wat/warm.wat", async () => {
  const text = readFileSync(new URL("../../../../wasm/wat/warm.wat", import.meta.url), "utf8");
  expect(WARM_MODULE).toBe(Buffer.from(await parseWat(text)).toString("base64"));
});
