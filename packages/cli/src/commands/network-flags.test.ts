// The long form of `-p`.
import { expect, test } from "vitest";
import { parsePublish } from "./network-flags.ts";

test("the long form of -p is the short one with names", () => {
  expect(parsePublish("target=80,published=8080,protocol=udp,mode=host")).toEqual(parsePublish("8080:80/udp"));
  expect(parsePublish("target=80,mode=ingress")).toEqual(parsePublish("80"));
});

test("what it cannot mean is refused", () => {
  expect(() => parsePublish("target=80,mode=swarm")).toThrow("invalid publish mode value (swarm)");
  expect(() => parsePublish("published=80")).toThrow("names no target");
  expect(() => parsePublish("target=80,port=80")).toThrow('invalid field "port=80"');
});
