// Flags of docker's run and create that make no sense here: they are known, and refused with the reason and what to do.
import type { Flag } from "../args/types.ts";

/** The parser refuses them; help shows them. */
export const REFUSED_FLAGS: readonly Flag[] = [
  {
    long: "disable-content-trust",
    kind: "bool",
    help: "Skip image verification (default true)",
    harmless: ["true"],
    because: "images are not signed by Notary any more: name the digest, IMAGE@sha256:…",
  },
  {
    long: "gpus",
    kind: "string",
    valueName: "gpu-request",
    help: "GPU devices to add to the container ('all' to pass all GPUs)",
    because: "no vendor's hook runs here: add the device nodes with --device and the driver's libraries with -v",
  },
  {
    long: "isolation",
    kind: "string",
    help: "Container isolation technology",
    harmless: ["", "default"],
    because: "it chooses between Windows technologies",
  },
  {
    long: "kernel-memory",
    kind: "bytes",
    help: "Kernel memory limit",
    harmless: ["0"],
    because: "the kernel has no such limit any more: kernel memory counts in --memory",
  },
  {
    long: "link-local-ip",
    kind: "list",
    help: "Container IPv4/IPv6 link-local addresses",
    because: "no network driver here hands them out: use --ip or --ip6",
  },
  {
    long: "use-api-socket",
    kind: "bool",
    help: "Bind mount Docker API socket and required auth",
    harmless: ["false"],
    because: "there is no daemon whose socket a container could have",
  },
  {
    long: "userns",
    kind: "string",
    help: "User namespace to use",
    harmless: ["", "host"],
    because:
      "root's containers share the machine's user namespace (podman's keep-id, auto and private are not done): run lap as an ordinary user for one with its own",
  },
  {
    long: "volume-driver",
    kind: "string",
    help: "Optional volume driver for the container",
    harmless: ["", "local"],
    because: "there are no plugins: volumes are folders of the store, or what --mount describes",
  },
];
