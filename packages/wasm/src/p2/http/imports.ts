// A 0.2 component that speaks HTTP: its import object, with waits that suspend.
import type { HttpRequest, HttpSend } from "../../http/exchange.ts";
import type { ComponentHost, Interface } from "../host.ts";
import { preview2Imports } from "../imports.ts";
import { suspendingPoll } from "./poll.ts";
import { IncomingRequest } from "./incoming.ts";
import { guestTypes, type Outparam } from "./types.ts";

/** The imports of one instance, and how a request is put to it. */
export interface Http2Guest {
  readonly imports: Record<string, Interface>;
  /** What the handler takes, and the response that it sets. */
  exchange(request: HttpRequest): Outparam & { readonly request: object };
}

export function http2Guest(host: ComponentHost, send: HttpSend): Http2Guest {
  const { types, handle, outparam } = guestTypes(host, send);
  return {
    imports: {
      ...preview2Imports(host),
      "wasi:io/poll": suspendingPoll(host),
      "wasi:http/types": types,
      "wasi:http/outgoing-handler": { handle },
    },
    exchange: (request) => ({ request: new IncomingRequest(host, request), ...outparam() }),
  };
}
