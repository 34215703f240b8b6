// Link headers of listings, and listings over them.
import { expect, test } from "vitest";
import { nextPage } from "./paging.ts";
import { FakeRegistry, reply } from "./testing/fake-registry.ts";
import { codeOf, fakeClient } from "./testing/setup.ts";

const here = "https://r.test/v2/app/tags/list?n=1";

test.each<[string | undefined, string | undefined]>([
  [`</v2/app/tags/list?last=a&n=1>; rel="next"`, "https://r.test/v2/app/tags/list?last=a&n=1"],
  [`<https://r.test/v2/x>; rel=next`, "https://r.test/v2/x"],
  [`<?last=b>; rel="next"`, "https://r.test/v2/app/tags/list?last=b"],
  [`</first>; rel="prev", </second>; rel="next"`, "https://r.test/second"],
  [`</v2/x>; rel="prev"`, undefined],
  [undefined, undefined],
  ["", undefined],
  [`<${"x".repeat(10_000)}>; rel="next"`, undefined],
])("%s", (link, target) => {
  expect(nextPage(link, here)).toBe(target);
});

test.each([
  "<https://evil.test/>; rel=next",
  "<http://r.test/>; rel=next",
  "<//evil.test/>; rel=next",
  "<https://u:p@r.test/>; rel=next",
])("%s is refused", (link) => {
  expect(() => nextPage(link, here)).toThrow("elsewhere");
});

test("pages are joined, and what is no name is left out", async () => {
  const http = new FakeRegistry();
  http.hook = (line) =>
    line.includes("last=")
      ? reply(200, {}, `{"tags":["c",7,null]}`)
      : reply(200, { link: `</v2/app/tags/list?n=2&last=b>; rel="next"` }, `{"tags":["a","b"]}`);
  const { client } = fakeClient(http);
  expect(await Array.fromAsync(client.tags("registry.test/app", { pageSize: 2 }))).toEqual(["a", "b", "c"]);
  expect(http.sent).toEqual(["GET /v2/app/tags/list?n=2", "GET /v2/app/tags/list?n=2&last=b"]);
  http.hook = () => reply(200, {}, `{"repositories":{}}`);
  expect(await codeOf(Array.fromAsync(client.repositories("registry.test")))).toBe("ERR_LAP_REGISTRY_RESPONSE");
});
