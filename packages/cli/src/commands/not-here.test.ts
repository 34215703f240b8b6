// What docker has and we have not must say what to do, and must not hide a command that is here.
import { describe, expect, it } from "vitest";
import { instead } from "./not-here.ts";
import { findCommand } from "./registry.ts";

const WORDS =
  "build compose context buildx swarm stack service node plugin secret config checkpoint manifest trust scout init debug";

describe("commands that are not here", () => {
  it.each(WORDS.split(" "))("%s", async (word) => {
    expect(instead([word, "x"])).toMatch(/'lap |digest/);
    expect(await findCommand([word, "x"])).toBeUndefined();
  });

  it("knows parts of groups that are here, and no words of nobody", () => {
    expect(instead(["image", "build"])).toContain("lap load");
    expect(instead(["imges"])).toBeUndefined();
    expect(instead(["constructor"])).toBeUndefined();
  });
});
