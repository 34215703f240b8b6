// A program that holds containers: two that run, a program under way and, for SIGKILL, one that does not run. Its parent ends it: see the
// test beside it.
import { flushCompileCache } from "node:module";
import { open } from "@lapstrake/engine";

const store = await open({ root: process.argv[2]! });
const running = await store.box("progs:1", { network: "none" });
const forked = await running.fork();
const stopped = process.argv[3] === "SIGKILL" ? await store.box("progs:1", { start: false }) : undefined;
const program = store.run("progs:1", ["sleep", "600"], { network: "none" });
const line = running.exec(["sh", "-c", "echo inside; sleep 600"])[Symbol.asyncIterator]();
await line.next();
while (store.engine!.list().filter(({ status }) => status.state === "running").length < 3) {
  await new Promise((resolve) => setTimeout(resolve, 10));
}
// What is killed leaves nothing for the next else.
flushCompileCache();
if (process.argv[3] === "throw")
  throw new Error(`on purpose, with ${forked.name}, ${stopped?.name} and ${program.args[0]}`);
process.stdout.write("ready\n");
setInterval(() => undefined, 1000);
