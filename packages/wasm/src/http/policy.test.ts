// The policy: what is allowed, what is refused, and where secrets are put in.
import { describe, expect, test } from "vitest";
import { HttpFailure, type HttpRequest } from "./exchange.ts";
import { policySend, type HttpPolicy, type HttpTransport } from "./policy.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const REQUEST: HttpRequest = {
  method: "GET",
  scheme: "https",
  authority: "api.example.com",
  pathWithQuery: "/",
  headers: [["authorization", bytes("Bearer {{KEY}}")]],
  body: undefined,
};

/** What reached the transport, or the tag of the refusal. */
async function outcome(policy: HttpPolicy, change: Partial<HttpRequest> = {}): Promise<string> {
  const transport: HttpTransport = async ({ headers }, _timeouts, privateAddresses) => ({
    status: privateAddresses ? 201 : 200,
    headers,
    body: undefined,
  });
  try {
    const { status, headers } = await policySend(policy, transport)({ ...REQUEST, ...change }, {});
    return `${status} ${new TextDecoder().decode(headers[0]![1])}`;
  } catch (error) {
    return (error as HttpFailure).tag;
  }
}

describe("rules", () => {
  test("nothing is allowed by default", async () => {
    expect(await outcome({ allow: [] })).toBe("HTTP-request-denied");
  });

  test.each<[string, HttpPolicy["allow"][number], Partial<HttpRequest>, boolean]>([
    ["the host", { host: "API.example.com" }, {}, true],
    ["another host", { host: "example.com" }, {}, false],
    ["names below", { host: "*.example.com" }, {}, true],
    ["not the name itself", { host: "*.example.com" }, { authority: "example.com" }, false],
    ["not a name that only ends alike", { host: "*.example.com" }, { authority: "badexample.com" }, false],
    ["a trailing dot", { host: "api.example.com" }, { authority: "api.example.com." }, true],
    ["the default port written out", { host: "api.example.com" }, { authority: "api.example.com:443" }, true],
    ["another port", { host: "api.example.com" }, { authority: "api.example.com:8443" }, false],
    ["a named port", { host: "api.example.com", ports: [8443] }, { authority: "api.example.com:8443" }, true],
    [
      "the port of the other scheme",
      { host: "api.example.com" },
      { scheme: "http", authority: "api.example.com:443" },
      false,
    ],
    ["a method", { host: "api.example.com", methods: ["POST"] }, {}, false],
    ["a scheme", { host: "api.example.com", schemes: ["https"] }, { scheme: "http" }, false],
    ["an address in brackets", { host: "2001:db8::1" }, { authority: "[2001:DB8::1]" }, true],
  ])("%s", async (_name, rule, change, allowed) => {
    expect(await outcome({ allow: [rule] }, change)).toBe(allowed ? "200 Bearer {{KEY}}" : "HTTP-request-denied");
  });

  test("private addresses are passed on as a right of the rule that matched", async () => {
    expect(await outcome({ allow: [{ host: "api.example.com", privateAddresses: true }] })).toMatch(/^201/);
  });
});

describe("secrets", () => {
  const secret = { placeholder: "{{KEY}}", value: "s$&cret", hosts: ["api.example.com"] };

  test("take the place of their placeholder on the way out", async () => {
    const policy = { allow: [{ host: "api.example.com" }], secrets: [secret] };
    expect(await outcome(policy)).toBe("200 Bearer s$&cret");
  });

  test("go to their own hosts only", async () => {
    const policy = { allow: [{ host: "*.example.com" }], secrets: [secret] };
    expect(await outcome(policy, { authority: "evil.example.com" })).toBe("200 Bearer {{KEY}}");
  });
});
