// What of the recorded docker cases differs on purpose or not yet: the table that engine-captures.test.ts holds us to.

/** Differences by reason; `notYet` is work to do. A case that becomes equal should leave the table. */
const DIFFERENT: Readonly<Record<string, readonly string[]>> = {
  "a flattened layer is not listed as deleted, or the image in use is only untagged": [
    "images: docker rmi capimp:1 capimg:1",
  ],
  "digests and the order within a second: newer engines have a digest for every image, and images of the same second have no order":
    [
      "images: docker images",
      "images: docker images --digests",
      "images: docker images --format {{.Repository}}:{{.Tag}} {{.ID}} {{.Size}} {{.CreatedSince}}",
      "images: docker images --format {{json .}}",
      "images: docker images cap*",
    ],
  "images do not know their parent images, as with BuildKit and the containerd image store": [
    "images: docker history --format {{json .}} capimg:2",
    "images: docker history -q capimg:2",
  ],
  "notYet: --sysctl": ["run: docker run --rm --sysctl foo=1 bb:latest true"],
  "notYet: --ulimit": ["run: docker run --rm --ulimit nofile bb:latest true"],
  "notYet: fields of inspect": ["inspect: docker inspect bb:latest", "inspect: docker inspect cap1"],
  "notYet: login": ["reg: docker login 127.0.0.1:1 -u a -p b"],
  "notYet: logout": ["reg: docker logout 127.0.0.1:1"],
  "notYet: health checks, and what ps tells of platforms": [
    "ps: docker ps",
    "ps: docker ps --format json",
    "ps: docker ps --format {{json .}}",
    "ps: docker ps -l",
    "ps: docker ps -s",
  ],
  "newer engines tell more of a network (EnableIPv4, its gateway), and our bridge has a name of its own": [
    "inspect: docker network inspect bridge",
    "netvol: docker network ls --format {{json .}}",
  ],
  "notYet: a Go structure printed bare": [
    'inspect: docker inspect -f {{index .NetworkSettings.Networks "bridge"}} cap1',
  ],
  "notYet: search": ["reg: docker search foo"],
  "notYet: the words of a registry that cannot be reached": [
    "reg: docker pull nosuch.invalid/x:1",
    "run: docker run --rm --platform linux/arm64 bb:latest true",
  ],
  "notYet: version, info, system df": [
    "system: docker info -f {{json .}}",
    "system: docker system df --format {{json .}}",
    "system: docker system df -v",
    "system: docker version",
    "system: docker version -f {{.Server.Version}}",
  ],
  "our words for an empty archive": ["fs: docker load"],
  "the recording engine ran nested and could not give capabilities; ours can": [
    "exec: docker exec --privileged cap1 sh -c grep Cap /proc/self/status",
  ],
  "the recording says what an old engine refused; notYet: --tree": ["images: docker images --tree"],
};

/** Differences by `file: command`, each with its reason. */
export const KNOWN: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(DIFFERENT).flatMap(([reason, keys]) => keys.map((key) => [key, reason])),
);

/** Where newer engines than the recorded one (20.10) answer otherwise: what they say. */
export const NEWER: Readonly<Record<string, { stdout?: string; stderr?: string; exitCode?: number }>> = {
  // the engine keeps 127 since 23.0
  "exec: docker exec cap1 nosuch": { exitCode: 127 },
  "exec: docker exec -t cap1 tty": { exitCode: 127 },
  // since 23.0 a mount path must be absolute
  "run: docker run --rm -v a:b bb:latest true": {
    stderr:
      "docker: Error response from daemon: invalid volume specification: 'a:b': invalid mount config for type \"volume\": invalid mount path: 'b' mount path must be absolute\n\nRun 'docker run --help' for more information\n",
    exitCode: 125,
  },
  // the words of runc since 1.1.5
  "run: docker run --rm bb:latest /etc": {
    stderr:
      "docker: Error response from daemon: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"/etc\": is a directory: unknown\n\nRun 'docker run --help' for more information\n",
  },
};
