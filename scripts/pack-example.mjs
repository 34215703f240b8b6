// The example that `pnpm pack:check` runs against the installed packages, in plain JavaScript as a user would write it.
import assert from "node:assert/strict";
import { LapError, familiarReference, parseReference } from "@lapstrake/base";

const reference = parseReference("alpine:3.20");
assert.equal(familiarReference(reference), "alpine:3.20");
assert.throws(() => parseReference("Not An Image"), LapError);
