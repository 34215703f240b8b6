import { expect, it } from "vitest";
import { hostAddress, portsColumn, portsObject, type ShownPort } from "./show-ports.ts";

const at = (hostIp: string, hostPort: number, port: number, protocol: "tcp" | "udp" = "tcp"): ShownPort => ({
  hostIp,
  hostPort,
  port,
  protocol,
});

it("shows one port as docker does", () => {
  expect(portsColumn([at("127.0.0.1", 18080, 80)], [])).toBe("127.0.0.1:18080->80/tcp");
  expect(hostAddress(at("::", 8080, 80))).toBe("[::]:8080");
});

it("joins runs of one side, and shows what is only exposed", () => {
  const ports = [at("::", 8000, 80), at("0.0.0.0", 8001, 81), at("0.0.0.0", 8000, 80), at("::", 8001, 81)];
  expect(portsColumn(ports, ["80/tcp", "443/tcp"])).toBe(
    "0.0.0.0:8000-8001->80-81/tcp, [::]:8000-8001->80-81/tcp, 443/tcp",
  );
  expect(portsColumn([at("0.0.0.0", 53, 53, "udp"), at("0.0.0.0", 9000, 90)], [])).toBe(
    "0.0.0.0:53->53/udp, 0.0.0.0:9000->90/tcp",
  );
  expect(portsColumn([], [])).toBe("");
});

it("gives inspect an entry for each port", () => {
  expect(portsObject([at("::", 8080, 80), at("0.0.0.0", 8080, 80)], ["80/tcp", "443/tcp"])).toEqual({
    "80/tcp": [
      { HostIp: "0.0.0.0", HostPort: "8080" },
      { HostIp: "::", HostPort: "8080" },
    ],
    "443/tcp": null,
  });
});
