import { expect, test } from "vitest";
import { csvFields } from "./csv.ts";
import { mountRequests } from "./mount-flag.ts";

const one = (text: string) => mountRequests([text])[0];

test("the long forms and their short names are the same", () => {
  const expected = { type: "bind", source: "/a", target: "/b", readOnly: true };
  expect(one("type=bind,source=/a,target=/b,readonly")).toEqual(expected);
  expect(one("type=bind,src=/a,dst=/b,ro=true")).toEqual(expected);
  expect(one("type=bind,source=/a,destination=/b,ro=1")).toEqual(expected);
});

test("a mount without a type is a volume", () => {
  expect(one("source=data,target=/d,volume-label=a=b,volume-label=c,volume-nocopy")).toEqual({
    type: "volume",
    source: "data",
    target: "/d",
    volumeLabels: { a: "b", c: "" },
    noCopy: true,
  });
});

test("sizes and modes of a tmpfs", () => {
  expect(one("type=tmpfs,target=/t,tmpfs-size=64m,tmpfs-mode=1770")).toMatchObject({
    tmpfsSizeBytes: 64 * 1024 * 1024,
    tmpfsMode: 0o1770,
  });
});

test.each([
  ["type=bind,source", "invalid field 'source' must be a key=value pair"],
  ["type=bind,foo=bar", "unexpected key 'foo' in 'foo=bar'"],
  ["type=bind,source=/a,target=/b,volume-nocopy", "cannot mix 'volume-*' options with mount type 'bind'"],
  ["type=tmpfs,target=/b,bind-propagation=shared", "cannot mix 'bind-*' options with mount type 'tmpfs'"],
  ["type=tmpfs,target=/b,tmpfs-mode=9", "invalid value for tmpfs-mode: 9"],
  ["type=bind, source=/a", "invalid option ' source' in ' source=/a': option should not have whitespace"],
  ["type=", "invalid value for 'type': value is empty"],
  ["type=bind,src=/a,dst=/b,bind-recursive=writable", "requires 'readonly' to be specified in conjunction"],
  ['type=bind,"src=/a', 'extraneous or missing " in quoted-field'],
])("%s is refused", (text, why) => {
  expect(() => one(text)).toThrow(why);
});

test("quoted fields may hold commas and quotes", () => {
  expect(csvFields('a,"b,""c""",d')).toEqual(["a", 'b,"c"', "d"]);
  expect(csvFields("a,,b,")).toEqual(["a", "", "b", ""]);
});
