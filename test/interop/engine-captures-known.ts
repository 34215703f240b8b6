// What of the recorded docker cases differs on purpose or not yet: the table that engine-captures.test.ts holds us to.

/** Differences by reason; `notYet` is work to do. A case that becomes equal should leave the table. */
const DIFFERENT: Readonly<Record<string, readonly string[]>> = {
  "our words for an empty archive: there is no folder of the daemon to name": ["fs: docker load"],
  "it says who we are: one program, neither Go nor containerd nor runc in it": ["system: docker version"],
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
