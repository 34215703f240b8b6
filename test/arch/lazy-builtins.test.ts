// The one rewrite of the bundle's text: it must keep meaning, or leave the text alone.
import { expect, test } from "vitest";
import { requireLate } from "../../scripts/lazy-builtins.ts";

test("a costly built-in is required where it is used", () => {
  const code = `let node_crypto = require("node:crypto");\nconst id = () => (0, node_crypto.randomBytes)(8);\n`;
  expect(requireLate(code)).toBe(`const id = () => (0, require("node:crypto").randomBytes)(8);\n`);
});

test("a default import of one is the module itself", () => {
  const code = `let node_zlib = require("node:zlib");\nnode_zlib = r.__toESM(node_zlib, 1);\nnode_zlib.default.gunzipSync(x);\n`;
  expect(requireLate(code)).toBe(`require("node:zlib").gunzipSync(x);\n`);
});

test("cheap built-ins and modules used as a value stay", () => {
  const cheap = `let node_fs = require("node:fs");\nnode_fs.readFileSync(x);\n`;
  expect(requireLate(cheap)).toBe(cheap);
  const value = `let node_net = require("node:net");\nexport_all(node_net);\nnode_net.connect();\n`;
  expect(requireLate(value)).toBe(value);
});
