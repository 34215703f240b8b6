// The verbs of NETLINK_ROUTE over one socket: what ip(8) does, without a process. Every method is synchronous and throws
// Node-shaped errors (EEXIST, ENODEV …) with the kernel's own text.
import { errorCode } from "@lapstrake/base";
import type { Message, Request } from "../netlink/message.ts";
import { NETLINK_ROUTE, NetlinkSocket, type NetlinkOptions } from "../netlink/socket.ts";
import { addAddress, deleteAddress, listAddresses, parseAddress, type LinkAddress } from "./addresses.ts";
import {
  addBridge,
  addSubLink,
  addVeth,
  deleteLink,
  getLink,
  parseLink,
  setBridgePort,
  setLink,
  setNoLinkLocal,
  type BridgePort,
  type Link,
  type LinkChange,
  type SubLink,
  type VethEnd,
} from "./links.ts";
import { addNeighbour } from "./neighbours.ts";
import { addRoute, defaultDestination, deleteRoute, listRoutes, parseRoute, type Route } from "./routes.ts";

const FAMILIES = [2, 10] as const;
const LOOPBACK_INDEX = 1;

/** Devices, addresses, routes and neighbours of one network namespace. */
export class Rtnl implements Disposable {
  readonly #socket: NetlinkSocket;

  constructor(options: NetlinkOptions = {}) {
    this.#socket = new NetlinkSocket(NETLINK_ROUTE, options);
  }

  /** All devices. */
  links(): Link[] {
    return this.#socket.dump(getLink("")).map(parseLink);
  }

  /** The device of a name; throws ENODEV. */
  link(name: string): Link {
    return parseLink(this.#socket.get(getLink(name)));
  }

  /** The device of a name, undefined when there is none. */
  findLink(name: string): Link | undefined {
    try {
      return this.link(name);
    } catch (error) {
      if (errorCode(error) === "ENODEV") return undefined;
      throw error;
    }
  }

  /** Changes a device: up or down, name, MTU, MAC, bridge, namespace. */
  setLink(link: Link, change: LinkChange): void {
    this.#socket.request(setLink(link.index, change, link.name));
  }

  /** Deletes a device by name; false when there was none. */
  deleteLink(name: string): boolean {
    try {
      this.#socket.request(deleteLink(name));
      return true;
    } catch (error) {
      if (errorCode(error) === "ENODEV") return false;
      throw error;
    }
  }

  /** Makes a bridge, down. */
  addBridge(name: string, change: LinkChange = {}): Link {
    this.#socket.request(addBridge(name, change));
    return this.link(name);
  }

  /** Makes a veth pair, both ends down; an end with `netns` is born there. */
  addVeth(end: VethEnd, peer: VethEnd): void {
    this.#socket.request(addVeth(end, peer));
  }

  /** Makes a device on top of another, down; with `netns` it is born there. */
  addSubLink(link: SubLink): void {
    this.#socket.request(addSubLink(link));
  }

  /** Hairpin, isolation and state of a bridge port. */
  setBridgePort(link: Link, port: BridgePort): void {
    this.#socket.request(setBridgePort(link.index, port, link.name));
  }

  /** No automatic IPv6 link-local address on a device. */
  setNoLinkLocal(link: Link): void {
    this.#socket.request(setNoLinkLocal(link.index, link.name));
  }

  /** Raises the loopback device. */
  loopbackUp(): void {
    this.#socket.request(setLink(LOOPBACK_INDEX, { up: true }, "lo"));
  }

  /** Addresses of one device, or of all. */
  addresses(link?: Link): LinkAddress[] {
    const found = this.#socket.dump(listAddresses(link?.index ?? 0)).map(parseAddress);
    return link === undefined ? found : found.filter((each) => each.link === link.index);
  }

  /** Gives a device an address: `10.0.0.2/24`. */
  addAddress(link: Link, address: string, broadcast?: string | null): void {
    this.#socket.request(addAddress(link.index, address, broadcast));
  }

  /** Takes an address from a device. */
  deleteAddress(link: Link, address: string): void {
    this.#socket.request(deleteAddress(link.index, address));
  }

  /** Unicast routes of the main table, IPv4 and IPv6. */
  routes(): Route[] {
    return FAMILIES.flatMap((family) => this.#mainTable(family))
      .map(parseRoute)
      .filter((route) => route !== undefined);
  }

  #mainTable(family: number): Message[] {
    try {
      return this.#socket.dump(listRoutes(family));
    } catch (error) {
      // A namespace where nothing was up yet has no main table.
      if (errorCode(error) === "ENOENT") return [];
      throw error;
    }
  }

  /** Adds a route. */
  addRoute(route: Route): void {
    this.#socket.request(addRoute(route));
  }

  /** Adds a route, in place of the one to the same destination. */
  replaceRoute(route: Route): void {
    this.#socket.request(addRoute(route, true));
  }

  /** Sets the default route of the gateway's family, in place of the one there was. */
  setDefaultRoute(gateway: string, link?: Link): void {
    this.#socket.request(addRoute({ destination: defaultDestination(gateway), gateway, link: link?.index }, true));
  }

  /** Deletes a route. */
  deleteRoute(route: Route): void {
    this.#socket.request(deleteRoute(route));
  }

  /** A permanent neighbour entry. */
  addNeighbour(link: Link, address: string, mac: string): void {
    this.#socket.request(addNeighbour(link.index, address, mac));
  }

  /** Several requests in one datagram; throws at the first that is refused, later ones may have been done. */
  batch(...requests: readonly Request[]): void {
    this.#socket.request(...requests);
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }
}
