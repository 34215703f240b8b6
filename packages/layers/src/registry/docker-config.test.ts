// config.json and auth.json as other programs write them, and credential helpers.
import { expect, test } from "vitest";
import { dockerCredentials, parseDockerConfig, type HelperPort } from "./docker-config.ts";
import { codeOf, utf8 } from "./testing/setup.ts";
import type { Credential } from "./types.ts";

const noHelpers: HelperPort = { run: () => Promise.reject(new Error("no helper was expected")) };

function find(config: object, domain: string, path = "", helpers = noHelpers): Promise<Credential | undefined> {
  return dockerCredentials(parseDockerConfig(utf8(JSON.stringify(config))), helpers)(domain, path);
}

const auth = btoa("user:pass:word");

test.each<[string, object, string, string, unknown]>([
  ["auth", { "r.test": { auth } }, "r.test", "", { kind: "basic", username: "user", password: "pass:word" }],
  ["a key with scheme and version", { "https://r.test/v2/": { auth } }, "r.test", "", { username: "user" }],
  [
    "docker hub's key",
    { "https://index.docker.io/v1/": { auth } },
    "docker.io",
    "library/alpine",
    { username: "user" },
  ],
  ["plain fields", { "r.test": { username: "u", password: "p" } }, "r.test", "", { username: "u", password: "p" }],
  ["an identity token", { "r.test": { auth, identitytoken: "id" } }, "r.test", "", { kind: "identity", token: "id" }],
  ["a registry token", { "r.test": { registrytoken: "rt" } }, "r.test", "", { kind: "bearer", token: "rt" }],
  [
    "podman's longer key",
    { "r.test": { auth }, "r.test/team": { username: "t", password: "p" } },
    "r.test",
    "team/app",
    { username: "t" },
  ],
  [
    "the host for another path",
    { "r.test": { auth }, "r.test/team": { username: "t", password: "p" } },
    "r.test",
    "teammate/app",
    { username: "user" },
  ],
])("%s", async (_name, auths, domain, path, expected) => {
  expect(await find({ auths }, domain, path)).toMatchObject(expected as object);
});

test.each<[string, object]>([
  ["no entry", {}],
  ["an empty entry, as helpers leave it", { auths: { "r.test": {} } }],
  ["another port", { auths: { "r.test:5000": { auth } } }],
  ["broken base64", { auths: { "r.test": { auth: "%%%" } } }],
  ["base64 without a colon", { auths: { "r.test": { auth: btoa("user") } } }],
  ["fields of wrong types", { auths: { "r.test": { auth: 7, username: [] } }, credHelpers: 3, credsStore: 4 }],
])("%s means anonymous", async (_name, config) => {
  expect(await find(config, "r.test")).toBeUndefined();
});

function helper(
  answers: Readonly<Record<string, { status: number; output: string }>>,
): HelperPort & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    run(name, verb, input) {
      asked.push(`${name} ${verb} ${input}`);
      return Promise.resolve(answers[name]!);
    },
  };
}

test("a helper of the registry comes before the default one; hub is asked by its old name; answers are kept", async () => {
  const helpers = helper({
    special: { status: 0, output: `{"ServerURL":"x","Username":"u","Secret":"s"}` },
    store: { status: 0, output: `{"Username":"<token>","Secret":"refresh"}` },
  });
  const config = parseDockerConfig(utf8(`{"credsStore":"store","credHelpers":{"r.test":"special"}}`));
  const source = dockerCredentials(config, helpers);
  expect(await source("r.test", "a")).toEqual({ kind: "basic", username: "u", password: "s" });
  expect(await source("docker.io", "library/a")).toEqual({ kind: "identity", token: "refresh" });
  await source("docker.io", "library/b");
  expect(helpers.asked).toEqual(["special get r.test", "store get https://index.docker.io/v1/"]);
});

test("a helper that knows nothing leaves it to the file; one that fails is an error with its name", async () => {
  const unknown = helper({ store: { status: 1, output: "credentials not found in native keychain\n" } });
  expect(await find({ credsStore: "store", auths: { "r.test": { auth } } }, "r.test", "", unknown)).toMatchObject({
    username: "user",
  });
  const broken = helper({ store: { status: 1, output: "cannot open keychain" } });
  expect(await codeOf(find({ credsStore: "store" }, "r.test", "", broken))).toBe("ERR_LAP_CREDENTIAL_HELPER");
  const garbage = helper({ store: { status: 0, output: "hello" } });
  expect(await codeOf(find({ credsStore: "store" }, "r.test", "", garbage))).toBe("ERR_LAP_JSON_INVALID");
});
