// The folder of one test run: it is the temporary directory of every test, so that what a run leaves can be told from what others left,
// and what a killed run left goes away when the next one starts. Its name says whose it is: process id and start time.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const NAME = /^lap-t-(\d+)-(\d+)$/;
const CGROUPS = "/sys/fs/cgroup";
/** A process that was killed takes a moment to end, and its supervisor may start one more. */
const ROUNDS = 50;

/** Makes the folder of this process and the temporary directory of all that it starts. */
export function openRunFolder(): string {
  const folder = join(tmpdir(), `lap-t-${process.pid}-${startTime(process.pid) ?? 0}`);
  mkdirSync(folder);
  chmodSync(folder, 0o1777);
  process.env["TMPDIR"] = folder;
  return folder;
}

/** Folders of runs whose process is dead. */
export function deadRunFolders(): string[] {
  return readdirSync(tmpdir()).flatMap((name) => {
    const [, pid, start] = NAME.exec(name) ?? [];
    return pid === undefined || startTime(Number(pid)) === start ? [] : [join(tmpdir(), name)];
  });
}

/** Ends, unmounts and removes what belongs to the run of a folder; says what there was. */
export function clearRunFolder(folder: string): string[] {
  const files = existsSync(folder) ? readdirSync(folder) : [];
  const ids = containerIds(folder, files);
  const found = [...endProcesses(folder), ...unmount(folder), ...detachLoops(folder), ...removeCgroups(ids)];
  rmSync(folder, { recursive: true, force: true });
  return [...found, ...files.map((name) => `file ${name}`)];
}

/** Clock ticks since the machine's start, as text; undefined for no process. */
function startTime(pid: number): string | undefined {
  const stat = read(`/proc/${pid}/stat`);
  return stat === "" ? undefined : stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return ""; // gone, or not ours to read
  }
}

/** Processes that have the folder as their temporary directory or name something in it; not those that started this one. */
function processesOf(folder: string): string[] {
  const mine = new Set([String(process.pid), String(process.ppid)]);
  return readdirSync("/proc").filter(
    (pid) =>
      /^\d+$/.test(pid) &&
      !mine.has(pid) &&
      (`\0${read(`/proc/${pid}/environ`)}`.includes(`\0TMPDIR=${folder}\0`) ||
        read(`/proc/${pid}/cmdline`).includes(`${folder}/`)),
  );
}

function endProcesses(folder: string): string[] {
  const seen = new Map<string, string>();
  for (let round = 0; round < ROUNDS; round++) {
    const pids = processesOf(folder);
    if (pids.length === 0) break;
    for (const pid of pids) {
      seen.set(pid, `process ${pid} ${read(`/proc/${pid}/cmdline`).replaceAll("\0", " ")}`);
      try {
        process.kill(Number(pid), "SIGKILL");
      } catch {
        // it ended meanwhile
      }
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  }
  return [...seen.values()];
}

function unmount(folder: string): string[] {
  const places = read("/proc/self/mountinfo")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((place) => place.startsWith(`${folder}/`));
  for (const place of places.toReversed()) spawnSync("umount", ["-l", place]);
  return places.map((place) => `mount ${place}`);
}

function detachLoops(folder: string): string[] {
  if (!existsSync("/sys/block")) return [];
  const devices = readdirSync("/sys/block").filter((name) =>
    read(join("/sys/block", name, "loop/backing_file")).startsWith(`${folder}/`),
  );
  for (const name of devices) spawnSync("losetup", ["--detach", `/dev/${name}`]);
  return devices.map((name) => `loop device ${name}`);
}

/** The containers of all stores in the folder. */
function containerIds(folder: string, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const containers = join(folder, name, "store/containers");
    return existsSync(containers) ? readdirSync(containers) : [];
  });
}

function removeCgroups(ids: readonly string[]): string[] {
  if (ids.length === 0 || !existsSync(CGROUPS)) return [];
  return ["", ...readdirSync(CGROUPS)].flatMap((mount) =>
    ids.flatMap((id) => {
      const path = join(CGROUPS, mount, "lapstrake", id);
      if (!existsSync(path)) return [];
      try {
        rmdirSync(path);
      } catch {
        // something still stands in it
      }
      return [`cgroup ${path}`];
    }),
  );
}
