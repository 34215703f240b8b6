// Where a box's published port is reached from this machine.
import { LapError } from "@lapstrake/base";
import type { Engine } from "../engine.ts";
import type { ContainerRecord } from "../state/record.ts";
import type { PortAddress } from "./types.ts";

const ANY: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/** Throws `ERR_LAP_NO_PORT` for a port that is not published, or not while the box runs. */
export async function publishedAddress(
  engine: Engine,
  record: ContainerRecord,
  containerPort: number,
  protocol: "tcp" | "udp",
): Promise<PortAddress> {
  const ports = (await engine.publishedPorts()).get(record.id) ?? [];
  const matches = ports.filter((each) => each.port === containerPort && each.protocol === protocol);
  const found = matches.find(({ hostIp }) => !hostIp.includes(":")) ?? matches[0];
  if (found !== undefined) return { host: ANY[found.hostIp] ?? found.hostIp, port: found.hostPort };
  const message = `port ${containerPort}/${protocol} of ${record.name} is not published`;
  throw new LapError("notFound", "ERR_LAP_NO_PORT", message, {
    hint: "make the box with ports: [PORT], or use connect(), which needs none",
  });
}
