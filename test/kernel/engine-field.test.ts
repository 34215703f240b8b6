// `alias docker=lap`: what people write around docker in scripts, as they write it. Every script ran under docker 28.2 too (a private
// daemon, `alpine`); the answers are docker's.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { nativePart } from "../support/native.ts";

/** A line of a person, and what stands on its output. `I` is the image; a container `c` of it runs. */
const SNIPPETS: readonly (readonly [script: string, output: string])[] = [
  [
    'docker run --rm -v "$PWD":/src -w /src -u "$(id -u):$(id -g)" $I sh -c "id -u; pwd; cat src.c"',
    "0\n/src\nint main\n",
  ],
  ["docker run --rm --env-file env -e C=3 $I sh -c 'echo $A $B $C'", "1 two words 3\n"],
  ["docker run --rm --entrypoint '' -e X='a  b' $I sh -c 'echo \"$X\"'", "a  b\n"],
  ["docker run -i --rm $I sh <<EOF\necho one\necho two\nEOF", "one\ntwo\n"],
  ["docker exec -i some sh -c 'cat > /f; cat /f' < src.c", "int main\n"],
  [
    "docker run -d --cidfile cid $I true >/dev/null; [ $(docker inspect -f {{.Id}} $(cat cid)) = $(cat cid) ] && echo same",
    "same\n",
  ],
  ["docker inspect -f '{{range .NetworkSettings.Networks}}{{.NetworkID}}{{end}}' some | wc -l", "1\n"],
  ["docker inspect -f '{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}' some", "none\n"],
  ["docker inspect -f '{{index .Config.Labels \"a.b\"}} {{.State.Running}}' some", "c true\n"],
  ["id=$(docker run -d $I sh -c 'exit 7'); docker wait $id; docker inspect -f '{{.State.ExitCode}}' $id", "7\n7\n"],
  [
    "id=$(docker create $I echo hi); docker start -a $id; docker logs --since 10m $id; docker logs -n 1 $id",
    "hi\nhi\nhi\n",
  ],
  ["id=$(docker create -i $I cat); echo piped | docker start -ai $id", "piped\n"],
  [
    "docker cp src.c some:/tmp/ && docker cp some:/tmp/src.c - | tar xO; tar c src.c | docker cp - some:/; docker exec some cat /src.c",
    "int main\nint main\n",
  ],
  ["docker export some | tar t | grep -c '^etc/passwd$'", "1\n"],
  [
    "docker save $I | gzip > i.gz; docker tag $I copy:1; docker rmi copy:1; docker load < i.gz; gunzip < i.gz | docker load -q",
    "Untagged: copy:1\nLoaded image: progs:1\nLoaded image: progs:1\n",
  ],
  [
    "docker ps -q -f name=some -f label=a.b=c | wc -l; docker ps --filter ancestor=$I --format '{{.Names}}'",
    "1\nsome\n",
  ],
  [
    "docker ps -a --format '{{.Names}}' | grep -Eq '^some$' && echo found; [ -z \"$(docker images -q nosuch:1)\" ] && echo none",
    "found\nnone\n",
  ],
  [
    "docker stats --no-stream --format '{{.Name}} {{.PIDs}}' some; docker top some | grep -c 'sleep 900'",
    "some 1\n1\n",
  ],
  [
    "docker volume create v1; docker run --rm -v v1:/d $I sh -c 'echo x > /d/f'; docker volume ls -qf dangling=true; docker volume rm v1",
    "v1\nv1\nv1\n",
  ],
  [
    "docker run --rm $I sh -c 'exit 42'; echo $?; docker run --rm $I nosuch 2>/dev/null; echo $?; docker run --nosuch $I 2>/dev/null; echo $?; docker exec some false; echo $?",
    "42\n127\n125\n1\n",
  ],
  [
    "docker rename some other; docker pause other; docker ps --format '{{.Status}}' -f name=other | grep -o Paused; docker unpause other; docker rename other some",
    "other\nPaused\nother\n",
  ],
  [
    "docker create --name some $I 2>/dev/null; echo $?; docker rm -f nosuch 2>/dev/null; echo $?; docker rm some 2>/dev/null; echo $?",
    "1\n0\n1\n",
  ],
  [
    "docker version --format '{{.Server.Os}}'; docker info --format '{{.OSType}}'; docker --context default ps -q | wc -l",
    "linux\nlinux\n1\n",
  ],
  [
    "docker login --password-stdin x 2>&1 </dev/null; docker build . >/dev/null 2>&1 || echo no",
    "the --password-stdin option requires --username to be set\nno\n",
  ],
  [
    'source <(docker completion bash); lap() { docker "$@"; }; COMP_LINE="lap run progs:"; COMP_POINT=14; _lap; echo "$COMPREPLY"',
    "1\n",
  ],
  ["docker ps -aq -f status=exited | xargs docker rm | wc -l; docker ps -aq -f status=exited | wc -l", ""],
  [
    "docker system prune -af --volumes | tail -1 | grep -o '^Total reclaimed space'; docker ps -q | wc -l; docker stop -t 0 some; docker ps -aq | xargs docker rm -f | wc -l",
    "Total reclaimed space\n1\nsome\n1\n",
  ],
];

needs("root", "overlayfs", "native", "command:bash").describe("scripts written for docker", () => {
  let store: LapStore;

  beforeAll(() => {
    store = new LapStore();
    store.loadPrograms();
    store.ok("run", "-d", "--name", "some", "-l", "a.b=c", "progs:1", "sleep", "900");
    writeFileSync(join(store.folder, "src.c"), "int main\n");
    writeFileSync(join(store.folder, "env"), "A=1\n# comment\nB=two words\n");
    writeFileSync(join(store.folder, "docker"), `#!/bin/sh\nexec ${nativePart("lap")} --root ${store.root} "$@"\n`, {
      mode: 0o755,
    });
  });
  afterAll(() => store.close());

  it.each(SNIPPETS)("%s", (script, output) => {
    const env = { ...process.env, PATH: `${store.folder}:${process.env["PATH"] ?? ""}`, I: "progs:1" };
    const { stdout, stderr, status } = spawnSync("bash", ["-c", script], {
      cwd: store.folder,
      timeout: 60_000,
      killSignal: "SIGKILL",
      encoding: "utf8",
      env,
    });
    expect({ stdout, stderr, status }).toMatchObject({ stdout: output === "" ? /./ : output });
  });
});
