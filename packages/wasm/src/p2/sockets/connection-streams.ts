// The two byte streams of a 0.2 TCP connection: they read ahead and write behind, and pollables tell when that got somewhere.
import type { Connection } from "../../sockets/port.ts";
import type { ComponentHost } from "../host.ts";
import { PromisePollable } from "../http/poll.ts";
import { InputStream, OutputStream, StreamFailure } from "../streams.ts";
import { socketCode } from "./codes.ts";

const CLOSED = { tag: "closed" } as const;
/** What may be written and not be sent yet. */
const ROOM = 256 * 1024;

/** A change that others wait for. */
class Changes {
  #waiting: (() => void)[] = [];

  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  tell(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

function failed(error: unknown): { readonly tag: "last-operation-failed"; readonly val: StreamFailure } {
  return { tag: "last-operation-failed", val: new StreamFailure(socketCode(error)) };
}

/** What the other side sends. */
export class ConnectionInput extends InputStream {
  readonly #host: ComponentHost;
  readonly #connection: Connection;
  readonly #changes = new Changes();
  readonly #onDrop: () => void;
  #chunk: Uint8Array = new Uint8Array(0);
  #end: unknown;
  #isReading = false;

  constructor(host: ComponentHost, connection: Connection, onDrop: () => void) {
    super(host, { kind: "pipe", read: () => 0, ready: () => -1, wait: () => undefined });
    this.#host = host;
    this.#connection = connection;
    this.#onDrop = onDrop;
    this.#fetch();
  }

  /** One piece ahead. */
  #fetch(): void {
    if (this.#isReading || this.#chunk.length > 0 || this.#end !== undefined) return;
    this.#isReading = true;
    void this.#read();
  }

  async #read(): Promise<void> {
    try {
      const chunk = await this.#connection.read();
      if (chunk === undefined) this.#end = CLOSED;
      else this.#chunk = chunk;
    } catch (error) {
      this.#end = failed(error);
    }
    this.#isReading = false;
    this.#changes.tell();
  }

  override read(length: bigint): Uint8Array {
    this.#host.interrupt.check();
    const out = this.#chunk.subarray(0, Number(length < 1_048_576n ? length : 1_048_576n));
    this.#chunk = this.#chunk.subarray(out.length);
    if (out.length === 0 && length > 0n && this.#chunk.length === 0 && this.#end !== undefined) throw this.#end;
    this.#fetch();
    return out;
  }

  // jco awaits what these give; the class above is synchronous.
  override blockingRead(length: bigint): Uint8Array {
    return this.#whenThere(() => this.read(length)) as unknown as Uint8Array;
  }

  override blockingSkip(length: bigint): bigint {
    return this.#whenThere(() => BigInt(this.read(length).length)) as unknown as bigint;
  }

  async #whenThere<T>(call: () => T): Promise<T> {
    while (!this.#isReady()) await this.#changes.next();
    return call();
  }

  #isReady(): boolean {
    return this.#chunk.length > 0 || this.#end !== undefined;
  }

  override subscribe(): PromisePollable {
    return new PromisePollable(
      this.#host,
      () => this.#isReady(),
      () => this.#changes.next(),
    );
  }

  /** `shutdown` of the receiving side. */
  end(): void {
    this.#end ??= CLOSED;
    this.#connection.endRead();
    this.#changes.tell();
  }

  override [Symbol.dispose](): void {
    this.#onDrop();
  }
}

/** What goes to the other side. */
export class ConnectionOutput extends OutputStream {
  readonly #host: ComponentHost;
  readonly #connection: Connection;
  readonly #changes = new Changes();
  readonly #onDrop: () => void;
  #unsent = 0;
  #end: unknown;

  constructor(host: ComponentHost, connection: Connection, onDrop: () => void) {
    super(host, { kind: "pipe", write: (_from, _offset, length) => length });
    this.#host = host;
    this.#connection = connection;
    this.#onDrop = onDrop;
  }

  override checkWrite(): bigint {
    this.#check();
    return BigInt(Math.max(0, ROOM - this.#unsent));
  }

  #check(): void {
    this.#host.interrupt.check();
    if (this.#end !== undefined) throw this.#end;
  }

  override write(contents: Uint8Array): void {
    this.#check();
    if (contents.length === 0) return;
    this.#unsent += contents.length;
    void this.#send(contents.slice());
  }

  async #send(bytes: Uint8Array): Promise<void> {
    try {
      await this.#connection.write(bytes);
    } catch (error) {
      this.#end ??= failed(error);
    }
    this.#unsent -= bytes.length;
    this.#changes.tell();
  }

  override flush(): void {
    this.#check();
  }

  override blockingFlush(): void {
    return this.#sent() as unknown as void;
  }

  override blockingWriteAndFlush(contents: Uint8Array): void {
    this.write(contents);
    return this.#sent() as unknown as void;
  }

  override blockingWriteZeroesAndFlush(length: bigint): void {
    this.writeZeroes(length);
    return this.#sent() as unknown as void;
  }

  async #sent(): Promise<void> {
    while (this.#unsent > 0) await this.#changes.next();
    this.#check();
  }

  override subscribe(): PromisePollable {
    return new PromisePollable(
      this.#host,
      () => this.#unsent < ROOM || this.#end !== undefined,
      () => this.#changes.next(),
    );
  }

  /** `shutdown` of the sending side. */
  end(): void {
    this.#end ??= CLOSED;
    this.#connection.endWrite().catch(() => undefined); // the other side is gone: so is what it would have been told
    this.#changes.tell();
  }

  override [Symbol.dispose](): void {
    this.end();
    this.#onDrop();
  }
}
