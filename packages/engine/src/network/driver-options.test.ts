// What `-d` and `-o` of a new network mean, and what is refused with which reason.
import { expect, test } from "vitest";
import { driverRequest, networkDriver } from "./driver-options.ts";

const PREFIX = "com.docker.network.";

test("options become fields, as Go reads values", () => {
  const options = {
    [`${PREFIX}bridge.name`]: "br9",
    [`${PREFIX}bridge.enable_icc`]: "0",
    [`${PREFIX}bridge.enable_ip_masquerade`]: "False",
    [`${PREFIX}bridge.host_binding_ipv4`]: "127.0.0.1",
    [`${PREFIX}bridge.gateway_mode_ipv4`]: "nat",
    [`${PREFIX}driver.mtu`]: "1400",
    [`${PREFIX}container_iface_prefix`]: "net",
  };
  const fields = {
    bridge: "br9",
    icc: false,
    masquerade: false,
    hostBinding: "127.0.0.1",
    mtu: 1400,
    ifnamePrefix: "net",
  };
  expect(driverRequest("bridge", options)).toEqual({ driver: "bridge", options, ...fields });
  expect(driverRequest("macvlan", { parent: "eth0", macvlan_mode: "vepa" })).toMatchObject({
    parent: "eth0",
    mode: "vepa",
  });
  expect(["", "default", "bridge", "ipvlan"].map(networkDriver)).toEqual(["bridge", "bridge", "bridge", "ipvlan"]);
});

test.each([
  [
    "bridge",
    { [`${PREFIX}bridge.enable_icc`]: "maybe" },
    /^failed to parse .*enable_icc value: maybe \(strconv.ParseBool: parsing "maybe": invalid syntax\)$/,
  ],
  ["bridge", { mtu: "12" }, /^invalid value "12"/],
  ["bridge", { mtu: "x" }, /^failed to parse mtu value: x \(strconv.Atoi: /],
  ["bridge", { [`${PREFIX}bridge.host_binding_ipv4`]: "here" }, /^invalid value "here"/],
  ["bridge", { [`${PREFIX}bridge.gateway_mode_ipv6`]: "routed" }, /^unsupported gateway mode "routed"/],
  ["bridge", { [`${PREFIX}host_ipv4`]: "10.0.0.1" }, /^unsupported driver option/],
  ["bridge", { nosuch: "" }, /^unsupported driver option "nosuch"/],
  ["macvlan", {}, /^a macvlan network stands on a device of the machine/],
  ["macvlan", { parent: "eth0", macvlan_mode: "odd" }, /^unknown macvlan mode "odd"/],
  ["ipvlan", { parent: "eth0", ipvlan_mode: "l3" }, /^unsupported ipvlan mode "l3"/],
] as const)("%s %j is refused", (driver, options, message) => {
  expect(() => driverRequest(driver, options)).toThrow(
    expect.objectContaining({ code: "ERR_LAP_NETWORK_OPTION", message: expect.stringMatching(message) as unknown }),
  );
});

test.each([
  ["overlay", /^could not find plugin overlay in v1 plugin registry: plugin not found$/],
  ["host", /^only one instance of "host" network is allowed$/],
])("driver %s is refused", (name, message) => {
  expect(() => networkDriver(name)).toThrow(
    expect.objectContaining({ code: "ERR_LAP_NETWORK_DRIVER", message: expect.stringMatching(message) as unknown }),
  );
});
