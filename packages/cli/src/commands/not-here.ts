// Words that docker knows and this program does not (yet): what stands in their place, so that nobody has to guess.

const BUILD =
  "images are not built here yet: build with buildah, docker or kaniko and bring the result by 'lap load' or 'lap pull'; " +
  "'lap image append' puts a folder on an image, 'lap commit' makes one of a container";
const SWARM =
  "containers run on this machine alone, there is no swarm: see 'lap run --restart' and 'lap network create'";

const INSTEAD: Readonly<Record<string, string>> = {
  build: BUILD,
  "image build": BUILD,
  "builder build": BUILD,
  buildx: BUILD,
  compose: "compose files are not read here yet: start each service by 'lap run -d --network NET --name SERVICE'",
  swarm: SWARM,
  stack: SWARM,
  service: SWARM,
  node: SWARM,
  secret: `${SWARM}; mount a file by 'lap run -v FILE:/run/secrets/NAME:ro'`,
  config: `${SWARM}; mount a file by 'lap run -v FILE:/NAME:ro'`,
  context: "there is no daemon to choose: the contexts are 'default' alone, a store is chosen by 'lap --root FOLDER'",
  plugin: "there are no plugins: networks and volumes are those of 'lap network create' and 'lap volume create'",
  checkpoint: "running programs are not written to disk: 'lap pause' stops them, 'lap snapshot' keeps their files",
  manifest: "indexes of several platforms are kept whole: 'lap images --tree' shows, 'lap image copy' copies them",
  trust: "images are not signed by Notary any more: name the digest, IMAGE@sha256:…",
  scout: "vulnerabilities are not looked up here: hand 'lap save IMAGE' or 'lap export CONTAINER' to a scanner",
  sbom: "packages are not listed here: hand 'lap save IMAGE' or 'lap export CONTAINER' to a scanner",
  init: "no files are made for a project here: 'lap run -v $PWD:/src -w /src IMAGE COMMAND' needs none",
  debug: "there is no shell of ours to bring in: 'lap exec -it CONTAINER sh', or 'lap image tree IMAGE' without one",
};

/** What to do instead of an unknown command; undefined for words that mean nothing to docker either. */
export function instead([group = "", verb]: readonly string[]): string | undefined {
  return INSTEAD[`${group} ${verb}`] ?? (Object.hasOwn(INSTEAD, group) ? INSTEAD[group] : undefined);
}
