// Memory of everything an engine keeps alive for a hundred idle containers, in MB (proportional set size), the programs inside left out.
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { engineVariant, idleContainers, openEngines, type BenchEngine } from "./engines.ts";
import type { OpenSuite } from "./main.ts";

const COUNT = 100;
/** Whose memory counts, by program or by name. */
const OWN: Readonly<Record<BenchEngine["name"], RegExp>> = {
  lap: /lap-shim|lap-guard|lapstrake|lap\.cjs/,
  docker: /dockerd|containerd|docker-proxy/,
  podman: /conmon|podman|netavark|aardvark/,
};

/** Proportional set size of the processes that match, kB; unreadable ones have just ended. */
function pss(pattern: RegExp): number {
  let sum = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const name = `${readFileSync(`/proc/${pid}/comm`, "utf8")} ${link(pid)} ${readFileSync(`/proc/${pid}/cmdline`, "latin1")}`;
      if (!pattern.test(name) || Number(pid) === process.pid) continue;
      sum += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0);
    } catch {
      continue;
    }
  }
  return sum;
}

function link(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return ""; // a kernel thread
  }
}

/** Starts the containers. */
export async function open(): Promise<OpenSuite> {
  const engines = openEngines();
  const held = new AsyncDisposableStack();
  held.use(engines);
  for (const engine of engines.all) held.use(await idleContainers(engine, "idle", COUNT));
  const suite = {
    title: `memory of ${COUNT} idle containers, in MB instead of`,
    reference: "docker",
    rounds: 3,
    warmup: 0,
    variants: engines.all.map((engine) =>
      engineVariant(engine, engine.name, () => Promise.resolve(pss(OWN[engine.name]) / 1024)),
    ),
    thresholds: [{ subject: "lap", reference: "docker", atMost: 1 / 4 }],
  };
  return { suite, [Symbol.asyncDispose]: () => held.disposeAsync() };
}
