// One run of a payload outside of any sandbox, of a guest of our own, so that the code it compiles can be kept for those inside, which
// may not write it.
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runPayloadHere } from "@lapstrake/wasm/node";
import { writeRecord, type ContainerRecord } from "../state/record.ts";
import { handoverDir, MODULE_FILE } from "./handover.ts";
import { runContainer } from "./wasm-run.ts";

/** wasm/wat/warm.wat. */
export const WARM_MODULE: string =
  "AGFzbQEAAAABPwlgCX9/f39/fn5/fwF/YAR/f39/AX9gAX8Bf2ACf38Bf2ADf39/AX9gBX9/f39/AX9gA39+fwF/YAF/AGAAAAK5BA8Wd2Fz" +
  "aV9zbmFwc2hvdF9wcmV2aWV3MQlwYXRoX29wZW4AABZ3YXNpX3NuYXBzaG90X3ByZXZpZXcxCGZkX3dyaXRlAAEWd2FzaV9zbmFwc2hvdF9w" +
  "cmV2aWV3MQhmZF9jbG9zZQACFndhc2lfc25hcHNob3RfcHJldmlldzEOYXJnc19zaXplc19nZXQAAxZ3YXNpX3NuYXBzaG90X3ByZXZpZXcx" +
  "CGFyZ3NfZ2V0AAMWd2FzaV9zbmFwc2hvdF9wcmV2aWV3MRFlbnZpcm9uX3NpemVzX2dldAADFndhc2lfc25hcHNob3RfcHJldmlldzELZW52" +
  "aXJvbl9nZXQAAxZ3YXNpX3NuYXBzaG90X3ByZXZpZXcxDmZkX3ByZXN0YXRfZ2V0AAMWd2FzaV9zbmFwc2hvdF9wcmV2aWV3MRNmZF9wcmVz" +
  "dGF0X2Rpcl9uYW1lAAQWd2FzaV9zbmFwc2hvdF9wcmV2aWV3MQ1mZF9mZHN0YXRfZ2V0AAMWd2FzaV9zbmFwc2hvdF9wcmV2aWV3MQdmZF9y" +
  "ZWFkAAEWd2FzaV9zbmFwc2hvdF9wcmV2aWV3MRFwYXRoX2ZpbGVzdGF0X2dldAAFFndhc2lfc25hcHNob3RfcHJldmlldzEOY2xvY2tfdGlt" +
  "ZV9nZXQABhZ3YXNpX3NuYXBzaG90X3ByZXZpZXcxCnJhbmRvbV9nZXQAAxZ3YXNpX3NuYXBzaG90X3ByZXZpZXcxCXByb2NfZXhpdAAHAwIB" +
  "CAUDAQABBxMCBm1lbW9yeQIABl9zdGFydAAPCtQBAdEBAEEAQSA2AgBBBEECNgIAQcAAQcQAEAMaQYAEQdgEEAQaQcAAQcQAEAUaQYAIQYAQ" +
  "EAYaQQNBwAAQBxpBA0HAAEEBEAgaQQRBwAAQBxpBAUHAABAJGkEDQQFBIEEBQQFC/////wFC/////wFBAEEQEAAaQRAoAgBBAEEBQQgQARpB" +
  "ECgCAEEAQQFBCBAKGkEQKAIAEAIaQQNBAUEgQQFBgAEQCxpBAEIBQYABEAwaQYABQQgQDRpBAEEAQQFBCBAKGkEBQQBBAUEIEAEaQQAQDgsL" +
  "CAEAQSALAngKADoEbmFtZQEzDwABbwEBdwIBYwMBcwQBYQUCZXMGAWUHAXAIAnBuCQFmCgFyCwJzdAwCY3QNAnJnDgF4";

/** Runs it; resolves to its exit code. */
export async function runWarm(): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), "lap-warm-"));
  try {
    mkdirSync(handoverDir(dir));
    writeFileSync(join(dir, MODULE_FILE), Buffer.from(WARM_MODULE, "base64"));
    writeRecord(dir, RECORD);
    return await runPayloadHere(runContainer, { dir, root: dir });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const RECORD: ContainerRecord = {
  version: 1,
  id: "warm",
  name: "warm",
  createdAt: "",
  kind: "wasm",
  image: { name: "warm", id: undefined, labels: {} },
  rootfs: { kind: "module", file: "warm.wasm" },
  process: {
    args: ["/warm.wasm"],
    env: ["PATH=/bin"],
    cwd: "/",
    user: "",
    tty: false,
    openStdin: false,
    stopSignal: 15,
    stopTimeoutSec: 10,
  },
  hostname: "warm",
  autoRemove: false,
  request: { image: "warm" },
};
