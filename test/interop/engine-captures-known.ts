// What of the recorded docker cases differs on purpose or not yet: the table that engine-captures.test.ts holds us to.
import { readFileSync } from "node:fs";

/** Differences by reason; `notYet` is work to do. A case that becomes equal should leave the table. */
const DIFFERENT: Readonly<Record<string, readonly string[]>> = {
  "it says who we are: one program, neither Go nor containerd nor runc in it": ["system: docker version"],
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
  // since 29.0 there is no older form of archive to look for
  "fs: docker load": { stderr: "invalid archive: does not contain a manifest.json\n" },
  // the recorded engine was too old for it; so docker 28 shows images of one platform each
  "images: docker images --tree": {
    stdout: imageTree("capimp:1", "capimg:1", "capimg:2", "bb:latest"),
    stderr: "",
    exitCode: 0,
  },
  // the recorded engine ran where it could not give capabilities; with them this is what is shown
  "exec: docker exec --privileged cap1 sh -c grep Cap /proc/self/status": {
    stdout: privilegedCaps(),
    stderr: "",
    exitCode: 0,
  },
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

/** All that this machine gives root, none of it inheritable. */
function privilegedCaps(): string {
  const all = /^CapBnd:\s*(\w+)$/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1] ?? "";
  const none = "0".repeat(16);
  const sets = { Inh: none, Prm: all, Eff: all, Bnd: all, Amb: none };
  return Object.entries(sets)
    .map(([name, bits]) => `Cap${name}:\t${bits}\n`)
    .join("");
}

function imageTree(...names: readonly string[]): string {
  const sizes = "   444444444444       1.98MB         1.98MB   ";
  const one = (name: string): string => `${name}   ${sizes}${name === "bb:latest" ? "U" : " "}    \n`;
  return [
    "WARNING: This is an experimental feature. The output may change and shouldn't be depended on.\n",
    `${" ".repeat(62)}Info ->  U In Use \n\n`,
    "IMAGE   ID             DISK USAGE   CONTENT SIZE   EXTRA\n",
    ...names.map((name) => `${one(name)}└─ linux/amd64${one(name).slice(name.length)}\n`),
  ].join("");
}
