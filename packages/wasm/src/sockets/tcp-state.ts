// One TCP socket of a guest and what may be asked of it when: unbound, bound, connecting, connected, listening (wasi:sockets, "TCP socket
// states"). Both versions of the interface stand on it; what it throws are SocketFailures.
import { addressOf, isRemote, isUsable, wasiAddress, type Family, type WasiAddress } from "./address.ts";
import { SocketFailure, type Connection, type SocketNet, type TcpHandle } from "./port.ts";
import { defaultProperties, type Properties } from "./properties.ts";

const NS_PER_MS = 1_000_000n;
const MOST_BACKLOG = 4096n;
/** Connections that came and were not taken yet. */
const MOST_WAITING = 128;

/** A call that this state does not have. */
export function invalidState(): SocketFailure {
  return new SocketFailure("invalid-state");
}

/** An argument that no state has. */
export function invalidArgument(): SocketFailure {
  return new SocketFailure("invalid-argument");
}

export class TcpState {
  readonly family: Family;
  readonly properties: Properties;
  readonly #handle: TcpHandle | undefined;
  #state: "unbound" | "bound" | "connecting" | "connected" | "listening" | "closed";
  #connection: Connection | undefined;
  readonly #waiting: Connection[] = [];
  #arrived: () => void = () => undefined;
  /** The socket itself, and each of its streams. */
  #users = 1;

  private constructor(family: Family, properties: Properties, from: TcpHandle | Connection) {
    this.family = family;
    this.properties = properties;
    this.#state = "remote" in from ? "connected" : "unbound";
    if ("remote" in from) this.#connection = from;
    else this.#handle = from;
  }

  static create(net: SocketNet, family: Family): TcpState {
    return new TcpState(family, defaultProperties(), net.tcp(family));
  }

  get isListening(): boolean {
    return this.#state === "listening";
  }

  get connection(): Connection {
    if (this.#connection === undefined) throw invalidState();
    return this.#connection;
  }

  bind(address: WasiAddress): void {
    if (!isUsable(address, this.family)) throw invalidArgument();
    if (this.#state !== "unbound") throw invalidState();
    this.#handle!.bind(addressOf(address));
    this.#state = "bound";
  }

  /** Throws what {@link connect} would reject with at once. */
  checkConnect(address: WasiAddress): void {
    if (this.#state !== "unbound" && this.#state !== "bound") throw invalidState();
    if (!isRemote(address, this.family)) throw invalidArgument();
  }

  async connect(address: WasiAddress): Promise<void> {
    this.checkConnect(address);
    this.#state = "connecting";
    try {
      this.#connection = await this.#handle!.connect(addressOf(address));
      this.#state = "connected";
      this.applyKeepAlive();
    } catch (error) {
      this.#state = "closed";
      throw error;
    }
  }

  listen(): void {
    if (this.#state !== "unbound" && this.#state !== "bound") throw invalidState();
    const { backlog } = this.properties;
    this.#handle!.listen(Number(backlog > MOST_BACKLOG ? MOST_BACKLOG : backlog), (connection) => {
      if (this.#state !== "listening" || this.#waiting.length >= MOST_WAITING) return connection.close();
      this.#waiting.push(connection);
      this.#arrived();
    });
    this.#state = "listening";
  }

  /** The next connection that came, as a socket; undefined when there is none. */
  accept(): TcpState | undefined {
    if (this.#state !== "listening") throw invalidState();
    const connection = this.#waiting.shift();
    return connection && new TcpState(this.family, { ...this.properties }, connection);
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Called when a connection has come; replaces the last such call. */
  onArrival(call: () => void): void {
    this.#arrived = call;
  }

  local(): WasiAddress {
    const address = this.#connection?.local ?? this.#handle?.local();
    if (address === undefined) throw invalidState();
    return wasiAddress(address);
  }

  remote(): WasiAddress {
    return wasiAddress(this.connection.remote);
  }

  applyKeepAlive(): void {
    const { keepAlive, idleNs } = this.properties;
    const idleMs = Number(idleNs / NS_PER_MS);
    this.#connection?.keepAlive(keepAlive, Math.min(Math.max(idleMs, 1000), 0x7fff_ffff));
  }

  /** One user more; each calls `release` once. */
  hold(): this {
    this.#users += 1;
    return this;
  }

  release(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    this.#state = "closed";
    for (const connection of this.#waiting.splice(0)) connection.close();
    this.#handle?.close();
    this.#connection?.close();
  }
}
