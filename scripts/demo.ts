// `pnpm demo`: the main job on real input, with the commands a person would type. It makes an image of programs of this machine
// (a clone has none and no registry), runs one in the Linux sandbox and one in the Wasm sandbox, and shows what each changed.
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { arch } from "node:process";
import { nativePart } from "../test/support/facts.ts";
import { writeLayout } from "../test/support/oci-layout.ts";
import { copyFiles, programFiles } from "../test/support/programs.ts";
import { buildGuests } from "../wasm/build.ts";
import { ROOT, say } from "./run.ts";

const LAP = nativePart("lap");
const BOLD = process.stdout.isTTY ? "\x1b[1m" : "";
const PLAIN = process.stdout.isTTY ? "\x1b[0m" : "";

function heading(text: string): void {
  say(`\n${BOLD}${text}${PLAIN}`);
}

/** Shows and runs one `lap` command; the demo ends when it fails. */
function lap(store: string, args: readonly string[], shown: string = args.map(quote).join(" ")): void {
  say(`$ lap ${shown}`);
  const { status } = spawnSync(LAP, ["--root", store, ...args], { stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) throw new Error(`lap ${args[0] ?? ""} exited ${String(status)}`);
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`;
}

/** Two layers: programs of this machine with their libraries, and an application with a Wasm program over it. */
async function makeImage(folder: string): Promise<string> {
  const programs = join(folder, "programs");
  const names = ["sh", "ls", "cat", "rm", "mkdir", "hostname"];
  const found = names.map(
    (name) => ["/bin", "/usr/bin"].map((dir) => `${dir}/${name}`).find(existsSync) ?? `/bin/${name}`,
  );
  copyFiles(programs, programFiles(found));
  for (const dir of ["tmp", "srv/data"]) mkdirSync(join(programs, dir), { recursive: true });
  const app = join(folder, "app");
  mkdirSync(join(app, "app"), { recursive: true });
  writeFileSync(join(app, "app/greeting"), "hello from a layer\n");
  await buildGuests(join(folder, "guests"));
  cpSync(join(folder, "guests/hello.wasm"), join(app, "app/hello.wasm"));
  chmodSync(join(app, "app/hello.wasm"), 0o755);
  const layout = join(folder, "layout");
  const env = ["PATH=/usr/bin:/bin"];
  writeLayout(layout, [
    {
      tag: "demo:1",
      layers: [programs, app],
      platform: { os: "linux", architecture: arch === "arm64" ? "arm64" : "amd64" },
      config: { Cmd: ["sh"], Env: env },
      variants: [
        { platform: { os: "wasip1", architecture: "wasm" }, config: { Entrypoint: ["/app/hello.wasm"], Env: env } },
      ],
    },
  ]);
  return layout;
}

async function demo(folder: string): Promise<void> {
  const store = join(folder, "store");
  heading("1. An image of two layers, made of programs of this machine, for Linux and for WebAssembly");
  const layout = await makeImage(folder);
  lap(store, ["load", "-i", layout], `load -i ${relative(tmpdir(), layout)}`);
  lap(store, ["images"]);

  heading(`2. A Linux program in it: pid 1, its own host name (this machine is ${hostname()}), its own mounts`);
  const script =
    'echo "pid $$ on $(hostname)"; ls -x /; rm -rf /srv /bin/ls; echo written by linux > /app/linux; cat /app/greeting';
  lap(store, ["run", "--name", "linux", "--hostname", "box", "demo:1", "sh", "-c", script]);

  heading("3. It deleted /srv and /bin/ls; this machine still has both");
  say(`$ ls -d /srv /bin/ls\n${["/srv", "/bin/ls"].filter(existsSync).join("  ")}`);

  heading("4. A WebAssembly program over the same layers: it lists, reads, writes and deletes files");
  lap(store, [
    "run",
    "--name",
    "wasm",
    "--platform",
    "wasip1/wasm",
    "demo:1",
    "ls",
    "/app",
    "cat",
    "/app/greeting",
    "write",
    "/app/wasm",
    "by wasm",
    "rm",
    "/app/greeting",
  ]);

  heading("5. What each of them changed; the image itself is as it was");
  lap(store, ["diff", "linux"]);
  lap(store, ["diff", "wasm"]);
  lap(store, ["ps", "-a"]);

  heading("6. A throw-away copy of this very machine");
  lap(store, ["run", "--rm", "host", "sh", "-c", "rm -rf /home /opt /var; ls -x /"]);
  say(`\nhere: ${readdirSync("/").join("  ")}`);
  lap(store, ["rm", "linux", "wasm"]);
  say(`\nThe command is ${relative(process.cwd(), LAP)}; try: ${relative(process.cwd(), LAP)} run -it --rm host`);
}

if (!existsSync(LAP)) {
  say("demo: the native parts are missing: install a C compiler (apt-get install gcc libc6-dev) and run: pnpm install");
  process.exitCode = 1;
} else {
  const folder = mkdtempSync(join(tmpdir(), "lap-demo-"));
  try {
    await demo(folder);
  } catch (error) {
    say(`demo: ${(error as Error).message}; what this machine lacks: ${relative(ROOT, LAP)} doctor`);
    process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
