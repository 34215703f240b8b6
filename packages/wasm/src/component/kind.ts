// Which translation a component needs: decided from its imports and exports alone, so that it can be made before the first run.
import { sections } from "../binary/sections.ts";
import { wrappedCommand } from "./bypass.ts";
import type { Suspends } from "./jco.ts";

const IMPORT = 10;
const EXPORT = 11;

/** True when the component imports or exports an interface of WASI 0.3. */
export function isPreview3(component: Uint8Array): boolean {
  return mentions(component, /wasi:[a-z-]+\/[a-z-]+@0\.3\./, [IMPORT, EXPORT]);
}

/** True when the component sends HTTP requests itself. */
function importsHttp(component: Uint8Array): boolean {
  return mentions(component, /wasi:http\/outgoing-handler@/, [IMPORT]);
}

/** True when the component makes sockets, or asks for addresses of names. */
function importsSockets(component: Uint8Array): boolean {
  return mentions(component, /wasi:sockets\/(?:tcp-create-socket|udp-create-socket|ip-name-lookup)@0\.2\./, [IMPORT]);
}

/** True when the component answers HTTP requests. */
export function answersHttp(component: Uint8Array): boolean {
  return mentions(component, /wasi:http\/(?:incoming-)?handler@/, [EXPORT]);
}

/** True when the component is a program that runs to an end. */
export function isCommand(component: Uint8Array): boolean {
  return mentions(component, /wasi:cli\/run@/, [EXPORT]);
}

/** What must be able to suspend; undefined when a plain module inside runs instead. */
export function suspendsOf(component: Uint8Array<ArrayBuffer>): Suspends | undefined {
  if (wrappedCommand(component) !== undefined) return undefined;
  if (isPreview3(component)) return "tasks";
  return importsHttp(component) || importsSockets(component) || answersHttp(component) ? "calls" : "nothing";
}

function mentions(component: Uint8Array, name: RegExp, ids: readonly number[]): boolean {
  return sections(component)
    .filter(({ id }) => ids.includes(id))
    .some(({ content, end }) => name.test(latin1(component.subarray(content, end))));
}

function latin1(bytes: Uint8Array): string {
  let out = "";
  for (let at = 0; at < bytes.length; at += 4096) out += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return out;
}
