// The test tiers: unit (beside the code: no root, network or clock), arch, contract, kernel (root), interop (peers).
import { defineConfig, type ViteUserConfig } from "vitest/config";

const conditions: string[] = ["@lapstrake/source", "module", "node", "default"];

function tier(name: string, include: string[], timeoutMs: number, serial: boolean): object {
  return {
    resolve: { conditions },
    ssr: { resolve: { conditions, externalConditions: conditions } },
    test: {
      name,
      include,
      exclude: ["**/node_modules/**", "**/dist/**"],
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
      fileParallelism: !serial,
      setupFiles: [],
    },
  };
}

const config: ViteUserConfig = defineConfig({
  test: {
    projects: [
      tier("unit", ["packages/*/src/**/*.test.ts"], 30_000, false),
      tier("arch", ["test/arch/**/*.test.ts"], 60_000, false),
      tier("contract", ["test/contract/**/*.test.ts"], 120_000, false),
      tier("kernel", ["test/kernel/**/*.test.ts"], 240_000, true),
      tier("interop", ["test/interop/**/*.test.ts"], 600_000, true),
    ],
  },
});

export default config;
