// The `lap` command. Start reading here: global flags, then one command module, then its exit code.
import { main } from "./main.ts";

// No top-level await: the bundle is CommonJS, which starts faster (docs/adr/0022). Open sockets and timers of the library must
// not keep a finished command alive, so it exits.
void main(process.argv.slice(2)).then((code) => process.exit(code));
