// A process to be killed: `pull|push FOLDER REFERENCE` on the store in FOLDER; prints "started" when it begins.
import { openImageStore, openRegistryClient } from "@lapstrake/layers";
import { nodeHttp, nodePorts, openNodeDir } from "@lapstrake/layers/node";

const [verb, folder = "", reference = ""] = process.argv.slice(2);
using http = nodeHttp();
using dir = openNodeDir(folder);
const store = openImageStore(dir, nodePorts);
const client = openRegistryClient({ ...nodePorts, http });
console.log("started");
if (verb === "pull") await client.pull(store, reference);
else await client.push(store, reference, { chunkBytes: 64 * 1024 });
