// Whatever bytes come from outside, the parsers answer with a value or a LapError, never with anything else.
import { LapError } from "@lapstrake/base";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseChallenges } from "./challenge.ts";
import { parseDockerConfig } from "./docker-config.ts";
import { parseDocument } from "./documents.ts";
import { nextPage } from "./paging.ts";
import { checkRealm } from "./realm.ts";
import { checkLocation } from "./redirect.ts";
import { utf8 } from "./testing/setup.ts";

const options = { numRuns: 300 };

function calmly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof LapError) return undefined;
    throw error;
  }
}

const fields = fc.constantFrom(
  "schemaVersion",
  "mediaType",
  "config",
  "layers",
  "manifests",
  "subject",
  "digest",
  "size",
  "auths",
);
const values = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(1, 2, -1, "sha256:", "application/json", [], {}, null),
);
const documents = fc.dictionary(
  fields,
  fc.oneof(values, fc.array(fc.dictionary(fields, values)), fc.dictionary(fields, values)),
);

test("documents and configurations", () => {
  fc.assert(
    fc.property(documents, fc.option(fc.string(), { nil: undefined }), (value, type) => {
      const bytes = utf8(JSON.stringify(value));
      calmly(() => parseDocument(bytes, type));
      calmly(() => parseDockerConfig(bytes));
      expect(calmly(() => parseDocument(bytes.subarray(1), type))).toBeUndefined();
    }),
    options,
  );
});

test("challenges: what is written is read, and nothing else breaks", () => {
  const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
  const quoted = fc.string({ maxLength: 20 });
  fc.assert(
    fc.property(
      token,
      fc.dictionary(token, quoted, { minKeys: 1, maxKeys: 5, noNullPrototype: true }),
      fc.string(),
      (scheme, parameters, noise) => {
        const text = Object.entries(parameters).map(
          ([name, value]) => `${name}="${value.replaceAll(/["\\]/g, "\\$&")}"`,
        );
        const found = parseChallenges(`${scheme} ${text.join(", ")}`);
        expect(found).toEqual([{ scheme, parameters: new Map(Object.entries(parameters)) }]);
        expect(parseChallenges(noise)).toBeInstanceOf(Array);
      },
    ),
    options,
  );
});

const urls = fc.oneof(
  fc.webUrl(),
  fc.string(),
  fc.constantFrom("//x", "https://", "http://a@b/", "https://u:p@registry.test/", "javascript:0", "\\\\x", "https:x"),
);

test("locations and realms: what is accepted is http, without a user, and in TLS when it was", () => {
  const endpoint = { origin: "https://registry.test", domain: "registry.test", settings: {} };
  fc.assert(
    fc.property(urls, (text) => {
      for (const found of [
        calmly(() => checkLocation("https://registry.test/v2/", text)),
        calmly(() => checkRealm(endpoint, text).href),
        calmly(() => nextPage(`<${text}>; rel=next`, "https://registry.test/v2/")),
      ]) {
        if (found === undefined) continue;
        const { protocol, username } = new URL(found);
        expect([protocol, username]).toEqual(["https:", ""]);
      }
    }),
    options,
  );
});
