// Where the recorded engine (20.10) and the engines since differ, or where an answer says who gives it: what is done to the recorded
// text, or to both sides, before they are compared. Each with its reason; nothing here hides a difference of ours.

type Json = Record<string, unknown>;

/** Both sides are compared as sorted lines: docker gives no order to what was made in the same second, nor to names. */
const UNORDERED: ReadonlySet<string> = new Set([
  // two of the recordings themselves disagree about capimg:1 and capimg:2
  "images: docker images",
  "images: docker images -q",
  "images: docker images --digests",
  "images: docker images --format {{json .}}",
  "images: docker images --format {{.Repository}}:{{.Tag}} {{.ID}} {{.Size}} {{.CreatedSince}}",
  "images: docker images cap*",
  "images: docker images --tree",
  // sorted by a name that is random
  "netvol: docker volume ls",
  "netvol: docker volume ls -q",
]);

/** Both sides are compared as JSON, whatever the order of the fields, after `recorded` and `ours` were applied. */
interface JsonCase {
  readonly recorded: (value: Json) => void;
  readonly ours: (value: Json) => void;
}

function drop(value: unknown, ...names: readonly string[]): void {
  for (const name of names) delete (value as Json)[name];
}

/** Values of the machine and of the engine's make: that they are there, and of which type, is compared. */
function typesOnly(value: Json): void {
  for (const [name, item] of Object.entries(value))
    value[name] = item === null ? "null" : Array.isArray(item) ? "list" : typeof item;
}

/** By case. */
const AS_JSON: Readonly<Record<string, JsonCase>> = {
  "inspect: docker inspect cap1": {
    recorded: (value) => {
      const host = value["HostConfig"] as Json;
      // since 23.0: no kernel memory; own cgroup namespace where docker's default is v1's
      drop(host, "KernelMemory", "KernelMemoryTCP");
      drop(host, "CgroupnsMode", "Runtime", "MaskedPaths");
      // the overlay is mounted in the container's own mount namespace only: there is no merged folder to name, nor an init layer without need
      drop((value["GraphDriver"] as Json)["Data"], "MergedDir", "LowerDir");
    },
    ours: (value) => {
      drop(value["HostConfig"], "CgroupnsMode", "Runtime", "MaskedPaths");
      drop((value["GraphDriver"] as Json)["Data"], "LowerDir");
      // since 25.0 and 28.0
      const networks = (value["NetworkSettings"] as Json)["Networks"] as Json;
      drop(networks["bridge"], "DNSNames", "GwPriority");
    },
  },
  "inspect: docker inspect bb:latest": {
    recorded: (value) => {
      // gone since 25.0 and 26.0; DockerVersion is the builder's
      drop(value, "Container", "ContainerConfig", "VirtualSize", "DockerVersion");
      drop((value["GraphDriver"] as Json)["Data"], "MergedDir", "WorkDir");
    },
    // since 27.0
    ours: (value) => drop(value, "Descriptor", "DockerVersion"),
  },
  "inspect: docker network inspect bridge": {
    // the bridge has its own name
    recorded: (value) => drop(value["Options"], "com.docker.network.bridge.name"),
    ours: (value) => {
      drop(value["Options"], "com.docker.network.bridge.name");
      drop(value, "EnableIPv4"); // since 28.0
      for (const pool of (value["IPAM"] as Json)["Config"] as Json[]) drop(pool, "Gateway"); // since 23.0
    },
  },
  "system: docker info -f {{json .}}": { recorded: typesOnly, ours: typesOnly },
};

/** What a newer engine, or one that says its own name, puts in place of a recorded text. */
const ADAPTED: Readonly<Record<string, (recorded: string) => string>> = {
  // since 28.0 the bridge says that it has IPv4
  "netvol: docker network ls --format {{json .}}": (text) => text.replace('"IPv4":"false"', '"IPv4":"true"'),
  // our version
  "system: docker version -f {{.Server.Version}}": () => "0.1.0",
};

/** Text of a case ready to be compared. */
export function comparable(key: string, text: string, side: "recorded" | "ours"): string {
  const adapted = side === "recorded" ? (ADAPTED[key] ?? ((each: string) => each))(text) : text;
  const json = AS_JSON[key];
  if (json !== undefined) return sortedJson(adapted, json[side]);
  return UNORDERED.has(key) ? adapted.split("\n").toSorted().join("\n") : adapted;
}

function sortedJson(text: string, change: (value: Json) => void): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.replaceAll(/: <(number|time)>/g, ': "<$1>"'));
  } catch {
    return text; // an error's text: it differs as it is
  }
  for (const value of Array.isArray(parsed) ? (parsed as Json[]) : [parsed as Json]) change(value);
  return JSON.stringify(parsed, sortKeys, 1);
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
