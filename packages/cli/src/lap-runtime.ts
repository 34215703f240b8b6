// lap-runtime: the OCI runtime command line (runtime.md, and runc's flags as engines use them). Base and core only.
import { runRuntime } from "./runtime/main.ts";

void runRuntime(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
});
