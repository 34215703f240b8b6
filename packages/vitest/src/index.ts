// The vitest fixture: start reading at box-test.ts.
export { boxTest, type BoxFixtures } from "./box-test.ts";
export type { Preparation } from "./preparation.ts";
