// Network namespaces for tests, each held by an agent process inside; nothing here touches the namespace of the machine.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { until } from "../support/until.ts";

const AGENT = join(import.meta.dirname, "core-net-agent.ts");

/** A namespace with its agent. */
export class Space implements Disposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (result: string) => void>();
  readonly fd: number;
  #id = 0;

  constructor(child: ChildProcess, fd: number) {
    this.#child = child;
    this.fd = fd;
    createInterface({ input: child.stdout! }).on("line", (line) => {
      const { id, result } = JSON.parse(line) as { id: number; result: string };
      this.#waiting.get(id)?.(result);
      this.#waiting.delete(id);
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  #send(command: object): Promise<string> {
    const id = ++this.#id;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.stdin!.write(`${JSON.stringify({ id, ...command })}\n`);
    });
  }

  /** Serves a port; answers "<label> saw <address>". */
  listen(proto: "tcp" | "udp", host: string, port: number, label: string): Promise<string> {
    return this.#send({ op: "listen", proto, host, port, label });
  }

  /** What a server answers; "timeout" or an error code when none does. Long enough for a busy machine, unless a timeout is what is expected. */
  ask(proto: "tcp" | "udp", host: string, port: number, timeoutMs = 20_000, localPort = 0): Promise<string> {
    return this.#send({ op: "ask", proto, host, port, timeoutMs, localPort });
  }

  /** As {@link Space.ask} over UDP, with a datagram of a size. */
  askUdp(host: string, port: number, bytes: number): Promise<string> {
    return this.#send({ op: "ask", proto: "udp", host, port, bytes });
  }

  /** What 127.0.0.11 says, by a resolver that is not ours: records joined by spaces, or an error code. */
  resolve(name: string, type: "A" | "AAAA" | "PTR" | "TXT"): Promise<string> {
    return this.#send({ op: "resolve", proto: "dns", host: name, port: 53, label: type });
  }

  /** Milliseconds that `count` answered connections take, one after the other. */
  async time(host: string, port: number, count: number): Promise<number> {
    const result = await this.#send({ op: "time", proto: "tcp", host, port, count });
    if (result.startsWith("failed")) throw new Error(result);
    return Number(result);
  }

  /** Output of a program inside. */
  run(command: string, ...args: readonly string[]): string {
    return execFileSync("nsenter", [`--net=/proc/${this.pid}/ns/net`, command, ...args], {
      encoding: "utf8",
      timeout: 60_000,
    });
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
    this.#child.kill("SIGKILL");
  }
}

/** Makes a namespace; resolves when its agent lives inside. */
export async function openSpace(): Promise<Space> {
  const child = spawn("unshare", ["-n", process.execPath, AGENT], { stdio: ["pipe", "pipe", "inherit"] });
  const own = readlinkSync("/proc/self/ns/net");
  const path = `/proc/${child.pid}/ns/net`;
  await until("a namespace of its own", () => readlinkSync(path) !== own);
  return new Space(child, openSync(path, "r"));
}
