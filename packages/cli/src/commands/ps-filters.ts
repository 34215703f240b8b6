// What `ps --filter` can ask, in docker's rules: names are patterns, ids prefixes, ports ranges; images know what they stand on.
import { LapError, isLapError, type Digest } from "@lapstrake/base";
import {
  findImage,
  findNetwork,
  parsePortSpec,
  type ContainerSummary,
  type Engine,
  type ShownPort,
} from "@lapstrake/engine";
import { filterBool, hasLabel, matchesAll, parseFilters, type Filter } from "../args/filters.ts";

/** One container with what filters may need to know of it. */
export interface Listed {
  readonly summary: ContainerSummary;
  readonly world: World;
}

/** What was looked up once for all containers. */
export interface World {
  readonly engine: Engine;
  readonly all: readonly ContainerSummary[];
  /** Present when a filter asks for images. */
  readonly images: Awaited<ReturnType<Engine["images"]>> | undefined;
  /** Present when a filter asks for published ports. */
  readonly ports: ReadonlyMap<string, readonly ShownPort[]> | undefined;
}

type Test = (listed: Listed, value: string) => boolean;

const STATES = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];
const HEALTHS = ["starting", "healthy", "unhealthy", "none"];

/** By key. */
const FILTERS: Readonly<Record<string, Test>> = {
  annotation: ({ summary: { record } }, value) => hasLabel(record.request.annotations ?? {}, value),
  ancestor: ({ summary: { record }, world }, value) => {
    const wanted = layersOf(world, value);
    if (wanted === undefined || record.image.id === undefined) return record.image.name === value;
    const own = layersOf(world, record.image.id);
    return (
      record.image.id === wanted.id ||
      (own !== undefined && wanted.layers.length > 0 && startsWith(own.layers, wanted.layers))
    );
  },
  before: ({ summary: { record }, world }, value) => record.createdAt < world.engine.find(value).createdAt,
  exited: ({ summary: { status } }, value) => {
    if (!/^-?\d+$/.test(value)) throw invalid("exited", value);
    return status.state === "exited" && String(status.exitCode) === value;
  },
  expose: ({ summary: { record } }, value) => {
    const published = (record.request.ports ?? []).map(({ containerPort, protocol }) => `${containerPort}/${protocol}`);
    const exposed = [...(record.image.exposedPorts ?? []), ...(record.request.exposedPorts ?? []), ...published];
    return wantedPorts("expose", value).some((port) => exposed.includes(port));
  },
  health: ({ summary: { health } }, value) => {
    if (!HEALTHS.includes(value)) throw invalid("health", value);
    return (health ?? "none") === value;
  },
  id: ({ summary: { record } }, value) => record.id.startsWith(value),
  "is-task": (_listed, value) => !filterBool("is-task", value),
  // Of another system; here there is one way.
  isolation: (_listed, value) => value === "" || value === "default",
  label: ({ summary: { record } }, value) => hasLabel({ ...record.image.labels, ...record.request.labels }, value),
  name: ({ summary: { record } }, value) => {
    const pattern = namePattern(value);
    return pattern.test(`/${record.name}`) || pattern.test(record.name);
  },
  network: ({ summary: { record }, world }, value) =>
    networkNames(world.engine, value).some(
      (name) => Object.hasOwn(record.networks ?? {}, name) || record.request.network === name,
    ),
  publish: ({ summary: { record }, world }, value) => {
    const published = (world.ports?.get(record.id) ?? []).map(({ port, protocol }) => `${port}/${protocol}`);
    return wantedPorts("publish", value).some((port) => published.includes(port));
  },
  since: ({ summary: { record }, world }, value) => record.createdAt > world.engine.find(value).createdAt,
  status: ({ summary: { status } }, value) => {
    if (!STATES.includes(value)) throw invalid("status", value);
    return status.state === value;
  },
  volume: ({ summary: { record } }, value) =>
    (record.mounts ?? []).some(({ source, target }) => source === value || target === value),
};

/** What `--filter` asks for. */
export interface PsFilter {
  /** Then containers that do not run are looked at too. */
  readonly asksState: boolean;
  /** Those of `shown` that it takes; `all` are the store's. */
  apply(shown: readonly ContainerSummary[], all: readonly ContainerSummary[]): Promise<readonly ContainerSummary[]>;
}

/** Reads `--filter`. Throws `ERR_LAP_FILTER_INVALID`. */
export function filterFor(engine: Engine, texts: readonly string[]): PsFilter {
  const filters = parseFilters(texts, FILTERS);
  return {
    asksState: filters.some(({ key }) => key === "status" || key === "exited"),
    async apply(shown, all) {
      if (filters.length === 0) return shown;
      const world = await worldFor(engine, all, filters);
      return shown.filter((summary) => matchesAll({ summary, world }, filters, FILTERS));
    },
  };
}

/** Looks up what these filters need; everything else stays unread. */
async function worldFor(engine: Engine, all: readonly ContainerSummary[], filters: readonly Filter[]): Promise<World> {
  const asks = (key: string): boolean => filters.some((filter) => filter.key === key);
  for (const { key, value } of filters) if (key === "before" || key === "since") engine.find(value);
  return {
    engine,
    all,
    images: asks("ancestor") ? await engine.images() : undefined,
    ports: asks("publish") ? await engine.publishedPorts() : undefined,
  };
}

function invalid(key: string, value: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_FILTER_INVALID", `invalid filter '${key}=[${value}]'`);
}

function namePattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new LapError("invalidArgument", "ERR_LAP_FILTER_INVALID", `invalid filter 'name=[${text}]'`, { cause });
  }
}

function layersOf(
  { images }: World,
  name: string,
): { readonly id: Digest; readonly layers: readonly Digest[] } | undefined {
  if (images === undefined) return undefined;
  try {
    const { id, layers } = findImage(images.store, name);
    return { id, layers: layers.map(({ chainID }) => chainID) };
  } catch (error) {
    if (isLapError(error, "notFound")) return undefined;
    throw error;
  }
}

function startsWith(whole: readonly Digest[], part: readonly Digest[]): boolean {
  return part.every((digest, i) => whole[i] === digest);
}

/** The name of a network that may be given by id; itself when there is none. */
function networkNames(engine: Engine, value: string): string[] {
  try {
    return [findNetwork(engine, value).name, value];
  } catch (error) {
    if (isLapError(error, "notFound")) return [value];
    throw error;
  }
}

/** `80`, `80/tcp`, `8000-8080/udp`. */
function wantedPorts(key: string, value: string): string[] {
  try {
    return parsePortSpec(value).map(({ containerPort, protocol }) => `${containerPort}/${protocol}`);
  } catch (cause) {
    if (!isLapError(cause)) throw cause;
    throw invalid(key, value);
  }
}
