import { describe, expect, it } from "vitest";
import { resolveUser } from "./users.ts";

const database = {
  passwd: "root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1001::/home/bob:/bin/sh\nbroken line\nnum:x:abc:1::/:\n",
  group: "root:x:0:root\nwheel:x:10:root,bob\nbobs:x:1001:\nstaff:x:50:\n",
};

describe("resolveUser", () => {
  it.each([
    ["", [], { uid: 0, gid: 0, additionalGids: [0, 10] }, "/root"],
    ["bob", [], { uid: 1000, gid: 1001, additionalGids: [1001, 10] }, "/home/bob"],
    ["1000", [], { uid: 1000, gid: 1001, additionalGids: [1001, 10] }, "/home/bob"],
    ["bob:staff", [], { uid: 1000, gid: 50, additionalGids: [50] }, "/home/bob"],
    ["4242", [], { uid: 4242, gid: 0, additionalGids: [0] }, "/"],
    ["4242:4343", ["staff", "77"], { uid: 4242, gid: 4343, additionalGids: [4343, 50, 77] }, "/"],
  ])("%j with %j", (user, groups, spec, home) => {
    expect(resolveUser(user, groups, database)).toEqual({ spec, home });
  });

  it("says in docker's words what is unknown", () => {
    expect(() => resolveUser("nosuchuser", [], database)).toThrow(
      "unable to find user nosuchuser: no matching entries in passwd file",
    );
    expect(() => resolveUser("bob:nosuch", [], database)).toThrow(
      "unable to find group nosuch: no matching entries in group file",
    );
  });

  it("CVE-2024-40635 refuses ids that overflow", () => {
    for (const id of ["4294967296", "2147483648", "-1", "99999999999999999999"]) {
      expect(() => resolveUser(id, [], database)).toThrow(/must be in range|unable to find/);
    }
  });

  it("works without the files", () => {
    const none = { passwd: undefined, group: undefined };
    expect(resolveUser("", [], none).spec).toEqual({ uid: 0, gid: 0, additionalGids: [0] });
    expect(() => resolveUser("bob", [], none)).toThrow("unable to find user bob: the image has no /etc/passwd");
  });
});
