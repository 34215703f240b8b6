// What a delivered document is, and when it is refused (CVE-2021-41190 and its relatives).
import { MEDIA_TYPE } from "@lapstrake/base";
import { expect, test } from "vitest";
import { artifactTypeOf, parseDocument, plainType } from "./documents.ts";
import { describeBytes, utf8 } from "./testing/setup.ts";

const blob = describeBytes(utf8("{}"), MEDIA_TYPE.config);
const manifest = { schemaVersion: 2, config: blob, layers: [] };
const index = { schemaVersion: 2, manifests: [] };

function parse(value: object, type: string | undefined) {
  return parseDocument(utf8(JSON.stringify(value)), type);
}

test.each<[object, string | undefined, string, string]>([
  [{ ...manifest, mediaType: MEDIA_TYPE.manifest }, MEDIA_TYPE.manifest, MEDIA_TYPE.manifest, "manifest"],
  [manifest, MEDIA_TYPE.manifest, MEDIA_TYPE.manifest, "manifest"],
  [{ ...manifest, mediaType: MEDIA_TYPE.dockerManifest }, "application/json", MEDIA_TYPE.dockerManifest, "manifest"],
  [manifest, undefined, MEDIA_TYPE.manifest, "manifest"],
  [index, "text/plain", MEDIA_TYPE.index, "index"],
  [{ ...index, mediaType: MEDIA_TYPE.dockerList }, MEDIA_TYPE.dockerList, MEDIA_TYPE.dockerList, "index"],
])("%j as %s", (value, type, mediaType, kind) => {
  const parsed = parse(value, type);
  expect([parsed.mediaType, parsed.target.kind]).toEqual([mediaType, kind]);
});

test.each<[string, object, string | undefined]>([
  ["two names", { ...manifest, mediaType: MEDIA_TYPE.manifest }, MEDIA_TYPE.dockerManifest],
  ["a manifest delivered as index", manifest, MEDIA_TYPE.index],
  ["an index delivered as manifest", index, MEDIA_TYPE.manifest],
  ["both at once", { ...manifest, ...index }, undefined],
  ["a media type that is no text", { ...manifest, mediaType: 7 }, MEDIA_TYPE.manifest],
  ["a subject that is none", { ...manifest, subject: { digest: "x" } }, MEDIA_TYPE.manifest],
  ["schema 3", { ...manifest, schemaVersion: 3 }, MEDIA_TYPE.manifest],
])("%s is invalid", (_name, value, type) => {
  expect(() => parse(value, type)).toThrow(expect.objectContaining({ code: "ERR_LAP_DOCUMENT_INVALID" }));
});

test.each([
  [{ schemaVersion: 1, name: "a" }, "application/vnd.docker.distribution.manifest.v1+json"],
  [{ schemaVersion: 1, name: "a" }, "application/json"],
  [manifest, "application/vnd.example.other"],
])("%j as %s is not supported", (value, type) => {
  expect(() => parse(value, type)).toThrow(expect.objectContaining({ code: "ERR_LAP_DOCUMENT_UNSUPPORTED" }));
});

test("content types as servers write them, and what an artifact is", () => {
  expect(plainType("Application/JSON; charset=utf-8")).toBe("application/json");
  expect(artifactTypeOf(parse({ ...manifest, artifactType: "text/x" }, MEDIA_TYPE.manifest))).toBe("text/x");
  expect(artifactTypeOf(parse(manifest, MEDIA_TYPE.manifest))).toBe(MEDIA_TYPE.config);
  expect(artifactTypeOf(parse(index, MEDIA_TYPE.index))).toBeUndefined();
});
