import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { familiarReference, formatReference, parseReference } from "./reference.ts";

const HEX = "a".repeat(64);

describe("parseReference", () => {
  it.each([
    ["alpine", "docker.io/library/alpine:latest", "alpine:latest"],
    ["alpine:3.20", "docker.io/library/alpine:3.20", "alpine:3.20"],
    ["user/app", "docker.io/user/app:latest", "user/app:latest"],
    ["docker.io/alpine", "docker.io/library/alpine:latest", "alpine:latest"],
    ["index.docker.io/library/alpine", "docker.io/library/alpine:latest", "alpine:latest"],
    ["localhost/x", "localhost/x:latest", "localhost/x:latest"],
    ["localhost:5000/x:1", "localhost:5000/x:1", "localhost:5000/x:1"],
    ["[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000/x:latest"],
    [`alpine@sha256:${HEX}`, `docker.io/library/alpine@sha256:${HEX}`, `alpine@sha256:${HEX}`],
    [`a.b/c/d:e@sha256:${HEX}`, `a.b/c/d:e@sha256:${HEX}`, `a.b/c/d:e@sha256:${HEX}`],
  ])("%s", (text, full, familiar) => {
    const ref = parseReference(text);
    expect(formatReference(ref)).toBe(full);
    expect(familiarReference(ref)).toBe(familiar);
  });

  it.each([
    "",
    "Bad",
    "a:b:c",
    "a/../b",
    "a//b",
    "-a",
    "a:",
    "a@sha256:12",
    "a:" + "x".repeat(129),
    "a".repeat(300),
    HEX,
  ])("refuses %j", (text) => {
    expect(() => parseReference(text)).toThrow(/invalid reference format/);
  });

  it("says in docker's words that names are lowercase", () => {
    expect(() => parseReference("Bad")).toThrow(
      "invalid reference format: repository name (library/Bad) must be lowercase",
    );
  });

  it("never throws anything else and round-trips what it accepts", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        let ref;
        try {
          ref = parseReference(text);
        } catch (error) {
          expect((error as { code?: string }).code).toBe("ERR_LAP_REFERENCE_INVALID");
          return;
        }
        expect(parseReference(formatReference(ref))).toEqual(ref);
        expect(parseReference(familiarReference(ref))).toEqual(ref);
      }),
    );
  });
});
