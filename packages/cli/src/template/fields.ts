// The fields of a value: on docker's typed objects, where what JSON left out is empty and some names differ, or on the JSON itself.
import { emptyOf, isMapField, jsonName, zeroOf } from "./go-structs.ts";
import { NO_VALUE, typeName, type Value } from "./values.ts";

/** For one run of a template over `root`. */
export class Fields {
  readonly #root: Value;
  readonly #goType: string | undefined;
  readonly #isTyped: boolean;
  /** Names of the fields that objects came from: what is a map is known by it. */
  readonly #from = new WeakMap<object, string>();

  constructor(root: Value, goType: string | undefined, isTyped: boolean) {
    this.#root = root;
    this.#goType = goType;
    this.#isTyped = isTyped;
  }

  /** Undefined for no such field; `isOnWay` when a further name follows. */
  get(at: Value, name: string, isOnWay: boolean): { readonly value: Value } | undefined {
    const found = this.#find(at, name);
    if (found === undefined) return undefined;
    const value = found.value === null && isOnWay && this.#isTyped ? emptyOf(name) : found.value;
    if (typeof value === "object" && value !== null) this.#from.set(value, name);
    return { value };
  }

  #find(at: Value, name: string): { readonly value: Value } | undefined {
    if (at === NO_VALUE) return { value: NO_VALUE };
    if (typeof at !== "object" || at === null || Array.isArray(at)) return undefined;
    const fields = at as Readonly<Record<string, Value>>;
    if (Object.hasOwn(fields, name)) return { value: fields[name] };
    if (!this.#isTyped) return undefined;
    if (isMapField(this.#from.get(at) ?? "")) return { value: NO_VALUE };
    const json = jsonName(name);
    return Object.hasOwn(fields, json) ? { value: fields[json] } : zeroOf(at, name);
  }

  /** What Go says of a field that is not there. */
  missing(name: string, at: Value): string {
    if (this.#goType !== undefined) {
      return `can't evaluate field ${name} in type ${at === this.#root ? `*${this.#goType}` : typeName(at)}`;
    }
    if (typeof at === "object" && at !== null && !Array.isArray(at)) return `map has no entry for key "${name}"`;
    if (at === null) return `nil pointer evaluating interface {}.${name}`;
    return `can't evaluate field ${name} in type interface {}`;
  }
}
