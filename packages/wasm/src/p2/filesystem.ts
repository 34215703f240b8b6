// wasi:filesystem 0.2 as import objects.
import { Descriptor, DirectoryEntryStream } from "./descriptor.ts";
import type { ComponentHost, Interface } from "./host.ts";
import { StreamFailure } from "./streams.ts";

const PREOPEN_FLAGS = { read: true, mutateDirectory: true } as const;

/** wasi:filesystem/types. */
export const typesInterface: Interface = {
  Descriptor,
  DirectoryEntryStream,
  filesystemErrorCode(error: unknown): string | undefined {
    return error instanceof StreamFailure ? error.code : undefined;
  },
};

/** wasi:filesystem/preopens. */
export function preopensInterface(host: ComponentHost): Interface {
  return {
    getDirectories(): [Descriptor, string][] {
      return host.preopens.map(({ ino, name, reach, otherwise }) => [
        new Descriptor(host, { kind: "dir", ino, handle: host.fs.opendir(ino) }, PREOPEN_FLAGS, reach, true, otherwise),
        name,
      ]);
    },
  };
}
