// Whose mounts they are, by the text of mountinfo.
import { expect, it } from "vitest";
import { mountedIn } from "./mounts.ts";

const LINES = [
  "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw",
  "40 22 7:0 / /store/containers/abc/disk rw,relatime - ext4 /dev/loop0 rw",
  "41 22 0:44 / /store/containers/abc/x/y rw - tmpfs tmpfs rw",
  "42 22 0:45 / /store/containers-not rw - tmpfs tmpfs rw",
  String.raw`44 22 0:47 / /a\040store/trash/x rw - tmpfs tmpfs rw`,
  "43 22 0:46 / /store/containers/def rw - tmpfs tmpfs rw",
  "",
].join("\n");

it("names each directory with mounts once", () => {
  expect(mountedIn("/store/containers", LINES)).toEqual(["/store/containers/abc", "/store/containers/def"]);
});

it("reads escaped names", () => {
  expect(mountedIn("/a store/trash", LINES)).toEqual(["/a store/trash/x"]);
});

it("finds none where nothing is mounted", () => {
  expect(mountedIn("/store/trash", LINES)).toEqual([]);
});
