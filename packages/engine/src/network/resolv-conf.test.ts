import { expect, test } from "vitest";
import { formatResolvConf, parseResolvConf } from "./resolv-conf.ts";

test("keeps what holds elsewhere too, the last search line, and drops comments", () => {
  const text = `# by hand
nameserver 192.0.2.1 ; first
nameserver fe80::1%eth0
nameserver fd00::53
nameserver nonsense
domain old.example
search a.example b.example
options ndots:2 edns0
`;
  const conf = parseResolvConf(text);
  expect(conf).toEqual({
    nameservers: ["192.0.2.1", "fd00::53"],
    search: ["a.example", "b.example"],
    options: ["ndots:2", "edns0"],
  });
  expect(parseResolvConf(formatResolvConf(conf))).toEqual(conf);
  expect(formatResolvConf({ nameservers: ["127.0.0.11"], search: [], options: ["ndots:0"] })).toBe(
    "nameserver 127.0.0.11\noptions ndots:0\n",
  );
});
