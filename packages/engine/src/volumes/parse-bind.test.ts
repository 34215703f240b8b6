import { expect, test } from "vitest";
import { isMode, parseBind, parseVolumesFrom } from "./parse-bind.ts";

test("a path is a bind, a name a volume, a target alone an anonymous volume", () => {
  expect(parseBind("/here:/there").mount).toMatchObject({ type: "bind", source: "/here", target: "/there" });
  expect(parseBind("data:/there").mount).toMatchObject({ type: "volume", source: "data", target: "/there" });
  expect(parseBind("/there").mount).toEqual({ type: "volume", target: "/there", readOnly: false });
});

test("options are read, those of SELinux and consistency accepted", () => {
  const { mount, mode } = parseBind("/a:/b:ro,rslave,z,cached,idmap");
  expect(mount).toMatchObject({ readOnly: true, propagation: "rslave", idmap: true });
  expect(mode).toBe("ro,rslave,z,cached,idmap");
  expect(parseBind("v1:/b:nocopy").mount.noCopy).toBe(true);
});

test.each([
  ["", "invalid volume specification: ''"],
  [":/b", "invalid volume specification: ':/b'"],
  ["/a:ro", "invalid volume specification: '/a:ro'"],
  ["/a:/b:ro:z", "invalid volume specification: '/a:/b:ro:z'"],
  ["/a:/b:ro,rw", "invalid mode: ro,rw"],
  ["/a:/b:what", "invalid mode: what"],
  ["/a:/", "destination can't be '/'"],
  ["/a:/b/..", "destination can't be '/'"],
  [
    "a:b",
    `invalid volume specification: 'a:b': invalid mount config for type "volume": invalid mount path: 'b' mount path must be absolute`,
  ],
  ["data:/b:rslave", "field BindOptions must not be specified"],
])("%s is refused", (text, why) => {
  expect(() => parseBind(text)).toThrow(why);
});

test("of each group of words one", () => {
  expect(["", "ro", "rw,Z", "nocopy,ro"].map(isMode)).toEqual([true, true, true, true]);
  expect(["ro,ro", "z,Z", "shared,slave", "ro,"].map(isMode)).toEqual([false, false, false, false]);
});

test("--volumes-from takes a mode", () => {
  expect(parseVolumesFrom("box:ro")).toEqual({ container: "box", readOnly: true });
  expect(parseVolumesFrom("box")).toEqual({ container: "box", readOnly: false });
  expect(() => parseVolumesFrom("box:nocopy")).toThrow("invalid mode: nocopy");
  expect(() => parseVolumesFrom("")).toThrow("cannot be an empty string");
});
