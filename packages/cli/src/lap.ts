// The `lap` command. Start reading here: global flags, then one command module, then its exit code.
import { main } from "./main.ts";

process.exitCode = await main(process.argv.slice(2));
// Open sockets and timers of the library must not keep a finished command alive.
process.exit();
