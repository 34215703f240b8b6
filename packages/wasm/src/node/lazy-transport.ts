// Sends requests of guests with node:http, which is loaded with the first.
import type { HttpTransport } from "../http/policy.ts";

/** As `nodeTransport`. */
export const lazyTransport: HttpTransport = async (request, timeouts, privateAddresses) =>
  (await import("./http-transport.ts")).nodeTransport(request, timeouts, privateAddresses);
