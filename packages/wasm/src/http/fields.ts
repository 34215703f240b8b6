// wasi:http/types: fields (headers and trailers), as 0.3 has them; 0.2 adds a method.
import type { HttpHeaders } from "./exchange.ts";
import { FORBIDDEN_HEADERS, isFieldValue, isToken } from "./syntax.ts";

type Entry = readonly [name: string, value: Uint8Array];

/** The variant header-error. */
function refused(tag: "invalid-syntax" | "forbidden" | "immutable"): { readonly tag: string } {
  return { tag };
}

export class Fields {
  #entries: readonly Entry[];
  #immutable: boolean;

  constructor() {
    this.#entries = [];
    this.#immutable = false;
  }

  /** Fields of the host's own: nothing is checked, nothing may be changed. */
  static received(entries: HttpHeaders): Fields {
    const fields = new Fields();
    fields.#entries = entries;
    return fields.freeze();
  }

  static fromList(entries: readonly Entry[]): Fields {
    const fields = new Fields();
    for (const [name, value] of entries) fields.append(name, value);
    return fields;
  }

  /** Part of a message now. */
  freeze(): this {
    this.#immutable = true;
    return this;
  }

  get list(): HttpHeaders {
    return this.#entries;
  }

  #check(name: string, values: readonly Uint8Array[] = []): void {
    if (!isToken(name) || !values.every(isFieldValue)) throw refused("invalid-syntax");
    if (FORBIDDEN_HEADERS.has(name.toLowerCase())) throw refused("forbidden");
    if (this.#immutable) throw refused("immutable");
  }

  #without(name: string): readonly Entry[] {
    return this.#entries.filter(([other]) => other.toLowerCase() !== name.toLowerCase());
  }

  get(name: string): Uint8Array[] {
    return this.#entries.filter(([other]) => other.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
  }

  has(name: string): boolean {
    return this.get(name).length > 0;
  }

  set(name: string, values: readonly Uint8Array[]): void {
    this.#check(name, values);
    this.#entries = [...this.#without(name), ...values.map((value) => [name, value] as const)];
  }

  append(name: string, value: Uint8Array): void {
    this.#check(name, [value]);
    // The first spelling of a name stays.
    const known = this.#entries.find(([other]) => other.toLowerCase() === name.toLowerCase())?.[0];
    this.#entries = [...this.#entries, [known ?? name, value]];
  }

  delete(name: string): void {
    this.#check(name);
    this.#entries = this.#without(name);
  }

  getAndDelete(name: string): Uint8Array[] {
    this.#check(name);
    const values = this.get(name);
    this.#entries = this.#without(name);
    return values;
  }

  copyAll(): Entry[] {
    return [...this.#entries];
  }

  clone(): Fields {
    return new Fields().takeFrom(this);
  }

  /** Becomes a copy of `other` that may be changed. */
  protected takeFrom(other: Fields): this {
    this.#entries = other.#entries;
    return this;
  }
}
