// Logins that are kept are found again, in the file and in helpers; what others wrote stays.
import { expect, test } from "vitest";
import { dockerCredentials, parseDockerConfig, type HelperPort } from "./docker-config.ts";
import { eraseLogin, storeLogin } from "./login.ts";
import { codeOf, utf8 } from "./testing/setup.ts";
import type { Credential } from "./types.ts";

const noHelpers: HelperPort = { run: () => Promise.reject(new Error("no helper was expected")) };
const credential: Credential = { kind: "basic", username: "ünï", password: "p:w" };

function json(bytes: Uint8Array): Record<string, unknown> {
  return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
}

test.each<Credential>([credential, { kind: "identity", token: "id" }, { kind: "bearer", token: "b" }])(
  "kept in the file: %j",
  async (kept) => {
    for (const domain of ["docker.io", "r.test:5000"]) {
      const file = await storeLogin(
        utf8(`{"HttpHeaders":{"a":"b"},"auths":{"other.test":{"auth":"eDp5"}}}`),
        domain,
        kept,
        noHelpers,
      );
      expect(json(file)["HttpHeaders"]).toEqual({ a: "b" });
      const find = dockerCredentials(parseDockerConfig(file), noHelpers);
      expect(await find(domain, "x/y")).toEqual(kept);
      expect(await find("other.test", "")).toMatchObject({ username: "x" });
      const erased = await eraseLogin(file, domain, noHelpers);
      expect(await dockerCredentials(parseDockerConfig(erased!), noHelpers)(domain, "")).toBeUndefined();
      expect(await eraseLogin(erased, domain, noHelpers)).toBeUndefined();
    }
  },
);

test("a new login replaces the old one under whatever key it stood", async () => {
  const before = utf8(`{"auths":{"https://r.test/v1/":{"auth":"eDp5"},"r.test":{"auth":"eDp5"}}}`);
  const file = await storeLogin(before, "r.test", credential, noHelpers);
  expect(Object.keys(json(file)["auths"] as object)).toEqual(["r.test"]);
});

test("a helper gets the secret, the file does not", async () => {
  const told: string[] = [];
  const helpers: HelperPort = {
    run(name, verb, input) {
      told.push(`${name} ${verb} ${input}`);
      return Promise.resolve({ status: 0, output: "" });
    },
  };
  const file = await storeLogin(utf8(`{"credsStore":"safe"}`), "docker.io", credential, helpers);
  expect(json(file)["auths"]).toEqual({ "https://index.docker.io/v1/": {} });
  await eraseLogin(file, "docker.io", helpers);
  expect(told).toEqual([
    `safe store {"ServerURL":"https://index.docker.io/v1/","Username":"ünï","Secret":"p:w"}`,
    "safe erase https://index.docker.io/v1/",
  ]);
  const broken: HelperPort = { run: () => Promise.resolve({ status: 1, output: "locked" }) };
  expect(await codeOf(storeLogin(file, "docker.io", credential, broken))).toBe("ERR_LAP_CREDENTIAL_HELPER");
});
