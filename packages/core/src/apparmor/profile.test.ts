import { expect, test } from "vitest";
import { profileText } from "./profile.ts";

test("names itself as the peer of its own processes", () => {
  const text = profileText("other", "abi/3.0");
  expect(text).toMatch(/^abi <abi\/3\.0>,\n@\{PROC\}=\/proc\/\nprofile other flags=/);
  expect(text).toContain("signal (send, receive) peer=other,");
  expect(text.trimEnd().endsWith("}")).toBe(true);
});

test.each(["network alg", "network vsock", "mount", "@{PROC}/sysrq-trigger", "/sys/firmware/**"])(
  "denies %s",
  (what) => {
    expect(profileText()).toContain(`  deny ${what}`);
  },
);

test("has no features to name without an abi", () => {
  expect(profileText()).not.toMatch(/^abi/m);
});
