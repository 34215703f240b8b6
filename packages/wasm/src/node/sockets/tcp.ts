// TCP for guests over Node's own handles.
import { Socket } from "node:net";
import { errorCode } from "@lapstrake/base";
import type { Address, Family } from "../../sockets/address.ts";
import { SocketFailure, type Connection, type TcpHandle } from "../../sockets/port.ts";
import { bindTo, check, failureOf, nameOf, tcpBinding, type RawTcp } from "./bindings.ts";

/** A socket of the machine. */
export function nodeTcp(family: Family): TcpHandle {
  return new Tcp(family);
}

class Tcp implements TcpHandle {
  readonly #family: Family;
  readonly #handle: RawTcp = new tcpBinding.TCP(tcpBinding.constants.SOCKET);
  #bound = false;
  #handedOn = false;

  constructor(family: Family) {
    this.#family = family;
  }

  bind(address: Address): void {
    bindTo(this.#handle, address);
    this.#bound = true;
  }

  local(): Address | undefined {
    return this.#bound ? nameOf(this.#handle, this.#family, "getsockname") : undefined;
  }

  connect({ host, port }: Address): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const request = new tcpBinding.TCPConnectWrap();
      request.oncomplete = (status) => {
        try {
          check(status);
          this.#handedOn = true;
          resolve(connectionOf(this.#handle, this.#family));
        } catch (error) {
          reject(error as Error);
        }
      };
      const isV4 = this.#family === "ipv4";
      check(isV4 ? this.#handle.connect(request, host, port) : this.#handle.connect6(request, host, port));
      this.#bound = true;
    });
  }

  listen(backlog: number, take: (connection: Connection) => void): void {
    this.#handle.onconnection = (status, client) => {
      if (status === 0 && client !== undefined) take(connectionOf(client, this.#family));
    };
    check(this.#handle.listen(backlog));
  }

  close(): void {
    if (!this.#handedOn) this.#handle.close();
  }
}

function connectionOf(handle: RawTcp, family: Family): Connection {
  const [local, remote] = [nameOf(handle, family, "getsockname"), nameOf(handle, family, "getpeername")];
  const socket = new Socket({ handle, allowHalfOpen: true, readable: true, writable: true } as object);
  return new NodeConnection(socket, local, remote);
}

class NodeConnection implements Connection {
  readonly local: Address;
  readonly remote: Address;
  readonly #socket: Socket;
  #failed: SocketFailure | undefined;
  #wake: () => void = () => undefined;

  constructor(socket: Socket, local: Address, remote: Address) {
    this.#socket = socket;
    this.local = local;
    this.remote = remote;
    socket.on("error", (error) => {
      this.#failed = failureOf(errorCode(error) ?? "");
      this.#wake();
    });
    for (const event of ["readable", "end", "close"]) socket.on(event, () => this.#wake());
  }

  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const chunk = this.#socket.read() as Buffer | null;
      if (chunk !== null) return new Uint8Array(chunk);
      if (this.#failed !== undefined) throw this.#failed;
      if (this.#socket.readableEnded || this.#socket.destroyed) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#settled((done) => void this.#socket.write(bytes, done));
  }

  endWrite(): Promise<void> {
    return this.#settled((done) => void this.#socket.end(done));
  }

  #settled(call: (done: (error?: Error | null) => void) => void): Promise<void> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed);
    if (this.#socket.destroyed) return Promise.reject(new SocketFailure("connection-broken"));
    return new Promise((resolve, reject) => {
      call((error) => {
        if (error === undefined || error === null) resolve();
        else reject(failureOf(errorCode(error) ?? ""));
      });
    });
  }

  endRead(): void {
    // What comes from now on is of no interest, and must not fill up.
    this.#socket.resume();
  }

  keepAlive(enabled: boolean, idleMs: number): void {
    this.#socket.setKeepAlive(enabled, idleMs);
  }

  close(): void {
    this.#socket.destroySoon();
  }
}
