// lap-runtime: the OCI runtime command line (runtime.md, and runc's flags as engines use them). Base and core only.
import { runRuntime } from "./runtime/main.ts";

// No top-level await: the bundle is CommonJS, which starts faster (docs/adr/0022).
void runRuntime(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
