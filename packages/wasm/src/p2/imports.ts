// Everything a 0.2 command may import, by unversioned interface name: one object serves every 0.2.x.
import { RANDOM_INTERFACES, cliInterfaces, clockInterfaces } from "./cli.ts";
import { preopensInterface, typesInterface } from "./filesystem.ts";
import type { ComponentHost, Interface } from "./host.ts";
import { pollInterface } from "./poll.ts";
import { SOCKET_INTERFACES } from "./no-sockets.ts";
import { errorInterface, streamsInterface } from "./streams.ts";

/** The import object of one component. */
export function preview2Imports(host: ComponentHost): Record<string, Interface> {
  return {
    ...cliInterfaces(host),
    ...clockInterfaces(host),
    ...RANDOM_INTERFACES,
    ...SOCKET_INTERFACES,
    "wasi:io/error": errorInterface,
    "wasi:io/poll": pollInterface(host),
    "wasi:io/streams": streamsInterface,
    "wasi:filesystem/types": typesInterface,
    "wasi:filesystem/preopens": preopensInterface(host),
  };
}
