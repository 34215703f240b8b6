// Runs inside a network namespace made for a test: serves and asks over TCP and UDP, one JSON command per line of standard input.
// A server answers with its label and the address it saw, so that a test knows who was reached and as whom.
import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { createServer, connect, isIPv6 } from "node:net";
import { createInterface } from "node:readline";

interface Command {
  readonly id: number;
  readonly op: "listen" | "ask" | "time" | "resolve";
  readonly proto: "tcp" | "udp" | "dns";
  readonly host: string;
  readonly port: number;
  readonly label?: string;
  readonly timeoutMs?: number;
  readonly count?: number;
  readonly localPort?: number;
  readonly bytes?: number;
}

function listenTcp({ host, port, label }: Command): Promise<string> {
  const server = createServer((socket) => socket.end(`${label} saw ${socket.remoteAddress}`));
  return new Promise((resolve, reject) => {
    server.once("error", reject).listen({ host, port }, () => resolve("listening"));
  });
}

function listenUdp({ host, port, label }: Command): Promise<string> {
  const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
  socket.on("message", (data, from) => {
    const size = data.length > 1 ? ` with ${data.length} bytes` : "";
    socket.send(`${label} saw ${from.address}${size}`, from.port, from.address);
  });
  return new Promise((resolve, reject) => {
    socket.once("error", reject).bind(port, host, () => resolve("listening"));
  });
}

function askTcp({ host, port, timeoutMs = 20_000 }: Command): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect({ host, port, timeout: timeoutMs });
    const end = (result: string): void => {
      socket.destroy();
      resolve(result);
    };
    socket.on("data", (data) => (text += data.toString())).on("end", () => end(text));
    socket.on("timeout", () => end("timeout")).on("error", (error) => end((error as NodeJS.ErrnoException).code ?? ""));
  });
}

function askUdp({ host, port, timeoutMs = 20_000, localPort = 0, bytes = 1 }: Command): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
    const end = (result: string): void => {
      clearTimeout(timer);
      socket.close();
      resolve(result);
    };
    const timer = setTimeout(() => end("timeout"), timeoutMs);
    socket.on("message", (data) => end(data.toString())).on("error", (error) => end(error.message));
    socket.bind(localPort, () => socket.send(Buffer.alloc(bytes, "?"), port, host));
  });
}

/** Milliseconds that `count` connections take, one after the other, answers included. */
async function timeTcp(command: Command): Promise<string> {
  const started = performance.now();
  for (let i = 0; i < (command.count ?? 1); i++) {
    const answer = await askTcp(command);
    if (!answer.includes(" saw ")) return `failed: ${answer}`;
  }
  return String(performance.now() - started);
}

/** What the resolver of the namespace says: a client that is not ours (c-ares), asked for a name and a record type. */
async function resolve({ host, label = "A", timeoutMs = 20_000 }: Command): Promise<string> {
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
  resolver.setServers(["127.0.0.11"]);
  const found: unknown = await resolver.resolve(host, label).catch((error: NodeJS.ErrnoException) => error.code);
  return Array.isArray(found) ? found.join(" ") : String(found);
}

const HANDLERS: Readonly<Record<string, (command: Command) => Promise<string>>> = {
  "listen tcp": listenTcp,
  "listen udp": listenUdp,
  "ask tcp": askTcp,
  "ask udp": askUdp,
  "time tcp": timeTcp,
  "resolve dns": resolve,
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line) as Command;
  const answer = (result: string): boolean => process.stdout.write(`${JSON.stringify({ id: command.id, result })}\n`);
  HANDLERS[`${command.op} ${command.proto}`]!(command).then(answer, (error: Error) => answer(error.message));
}
process.exit(0);
