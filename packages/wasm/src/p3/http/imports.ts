// wasi:http 0.3 as import objects: types, and a client that sends what the host lets it.
import { HttpFailure, type HttpSend } from "../../http/exchange.ts";
import type { Interface } from "../../p2/host.ts";
import { Fields } from "../../http/fields.ts";
import { Request, Response } from "./messages.ts";
import { RequestOptions } from "./options.ts";

/** A guest without network: every request is refused. */
export const DENY_ALL: HttpSend = ({ method, authority }) =>
  Promise.reject(new HttpFailure("HTTP-request-denied", `no policy allows ${method} ${authority}`));

/** wasi:http/*. */
export function httpInterfaces(send: HttpSend): Record<string, Interface> {
  const client = {
    send: (request: Request): Promise<Response> =>
      request.send((outgoing, options) => send(outgoing, options?.timeouts ?? {})),
  };
  return {
    "wasi:http/types": { Fields, Request, RequestOptions, Response },
    "wasi:http/client": client,
    "wasi:http/handler": { handle: client.send },
  };
}
