// CreateRequest: the first value of the flow, our own typed form of "docker create". Docker's JSON and argv are codecs at the edge.
import type { LimitRequest, SharingRequest } from "./request-limits.ts";
import type { HealthAction, HealthRequest } from "../health/config.ts";
import type { LogRequest } from "./log-config.ts";
import type { PortBinding } from "../network/port-spec.ts";
import type { RestartPolicy } from "../restart/policy.ts";
import type { MountRequest } from "../volumes/types.ts";
import type { GuestHttp } from "../sandbox/wasm-network.ts";
import type { GuestLimits } from "../sandbox/wasm-limits.ts";

/** How a container is on a network. */
export interface NetworkAttachment {
  /** Further names there, besides its own. */
  readonly aliases?: readonly string[];
  /** Others there under names that only this container knows: `db`, `db:database`. */
  readonly links?: readonly string[];
  /** Wanted IPv4 address. */
  readonly ip?: string;
  /** Wanted IPv6 address. */
  readonly ip6?: string;
  /** Wanted MAC address, `02:42:…`. */
  readonly mac?: string;
}

/** What to make a container of. Absent fields take the image's or the engine's defaults. */
export interface CreateRequest extends LimitRequest, SharingRequest {
  /** Image reference, image id, the reserved name `host`, or the path of a .wasm file (`./x.wasm`, `/x.wasm`). */
  readonly image: string;
  readonly name?: string;
  /** Replaces the image's Cmd. */
  readonly command?: readonly string[];
  /** Replaces the image's Entrypoint and drops its Cmd; `[""]` clears it. */
  readonly entrypoint?: readonly string[];
  /** `NAME=value`, later ones win. */
  readonly env?: readonly string[];
  /** Absolute. */
  readonly workdir?: string;
  /** `name|uid[:group|gid]`. */
  readonly user?: string;
  /** Group names or ids. */
  readonly groupAdd?: readonly string[];
  readonly hostname?: string;
  readonly domainname?: string;
  readonly tty?: boolean;
  /** Streams that whoever makes it is attached to; shown by inspect. */
  readonly attach?: readonly ("stdin" | "stdout" | "stderr")[];
  readonly openStdin?: boolean;
  readonly autoRemove?: boolean;
  /** `none` (own namespace, loopback only), `host`, `container:NAME`, a network's name or id, or absent for the default. */
  readonly network?: string;
  /** By network: how the container is on `network`, and further networks to be on. */
  readonly attachments?: Readonly<Record<string, NetworkAttachment>>;
  readonly ports?: readonly PortBinding[];
  /** Publish every exposed port at a random one of the machine. */
  readonly publishAll?: boolean;
  /** `80/tcp`, besides the image's. */
  readonly exposedPorts?: readonly string[];
  /** `name:address` for /etc/hosts; the address `host-gateway` is the machine's. */
  readonly extraHosts?: readonly string[];
  /** Resolvers to ask in place of the machine's. */
  readonly dns?: readonly string[];
  readonly dnsSearch?: readonly string[];
  readonly dnsOptions?: readonly string[];
  /** The OCI runtime: a name (`runc`), an absolute path, or absent for our own. */
  readonly runtime?: string;
  /** `os/arch[/variant]`. */
  readonly platform?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly readonlyRootfs?: boolean;
  /** `[source:]target[:options]`; the source is an absolute path or the name of a volume. */
  readonly binds?: readonly string[];
  /** Mounts in full. */
  readonly mounts?: readonly MountRequest[];
  /** `CONTAINER[:ro|rw]`: mounts of other containers. */
  readonly volumesFrom?: readonly string[];
  /** `size` is how much it may write, with a unit. */
  readonly storageOptions?: Readonly<Record<string, string>>;
  /** target -> mount options. */
  readonly tmpfs?: Readonly<Record<string, string>>;
  readonly capAdd?: readonly string[];
  readonly capDrop?: readonly string[];
  readonly privileged?: boolean;
  readonly securityOpt?: readonly string[];
  readonly stopSignal?: string;
  readonly stopTimeoutSec?: number;
  /** What to do when it ends by itself; default nothing. */
  readonly restart?: RestartPolicy;
  /** Checks of its health, in place of the image's. */
  readonly health?: HealthRequest;
  /** What happens when it is unhealthy; default nothing. */
  readonly healthOnFailure?: HealthAction;
  /** Where its output goes; default a file that rotates. */
  readonly log?: LogRequest;
  /** A small init is its first process, which reaps and forwards signals. */
  readonly init?: boolean;
  /** Of Wasm containers only. */
  readonly guestLimits?: GuestLimits;
  /** Of Wasm containers only. */
  readonly guestHttp?: GuestHttp;
  /** Bytes; default 64 MiB. */
  readonly shmSizeBytes?: number;
  /** For the image `host`: further mounts of the machine to show (read-only), absolute paths. */
  readonly include?: readonly string[];
  /** For the image `host`: paths to hide besides the default ones. */
  readonly mask?: readonly string[];
  /** For the image `host`: hide nothing but the engine's own store. */
  readonly noMask?: boolean;
}
