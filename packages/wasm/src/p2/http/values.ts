// What the types of wasi:http 0.2 are made of: results, error codes, fields, and futures that a guest polls.
import { HttpFailure, type HttpHeaders } from "../../http/exchange.ts";
import { Fields as CommonFields } from "../../http/fields.ts";
import type { ComponentHost } from "../host.ts";
import { PromisePollable } from "./poll.ts";

/** The case objects of jco. */
export type Result<T, E> = { readonly tag: "ok"; readonly val: T } | { readonly tag: "err"; readonly val: E };

/** error-code. */
export interface ErrorCode {
  readonly tag: string;
  readonly val?: unknown;
}

/** The code of what failed. */
export function errorCodeOf(error: unknown): ErrorCode {
  if (error instanceof HttpFailure) return { tag: error.tag, val: error.val };
  return { tag: "internal-error", val: error instanceof Error ? error.message : "failed" };
}

/** Fields of 0.2. */
export class Fields extends CommonFields {
  static override received(entries: HttpHeaders): Fields {
    return new Fields().takeFrom(CommonFields.received(entries)).freeze();
  }

  static override fromList(entries: Parameters<typeof CommonFields.fromList>[0]): Fields {
    return new Fields().takeFrom(CommonFields.fromList(entries));
  }

  entries(): ReturnType<CommonFields["copyAll"]> {
    return this.copyAll();
  }

  override clone(): Fields {
    return new Fields().takeFrom(this);
  }
}

/** A value that arrives once and is taken once: `get` of 0.2's futures. */
export class Arriving<T> {
  readonly #host: ComponentHost;
  readonly #promise: Promise<void>;
  #value: Result<T, ErrorCode> | undefined;
  #taken = false;

  constructor(host: ComponentHost, promise: Promise<T>) {
    this.#host = host;
    this.#promise = promise.then(
      (val) => {
        this.#value = { tag: "ok", val };
      },
      (error: unknown) => {
        this.#value = { tag: "err", val: errorCodeOf(error) };
      },
    );
  }

  subscribe(): PromisePollable {
    return new PromisePollable(
      this.#host,
      () => this.#value !== undefined,
      () => this.#promise,
    );
  }

  get(): Result<Result<T, ErrorCode>, void> | undefined {
    if (this.#value === undefined) return undefined;
    if (this.#taken) return { tag: "err", val: undefined };
    this.#taken = true;
    return { tag: "ok", val: this.#value };
  }
}
