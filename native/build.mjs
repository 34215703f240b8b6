// Builds native/out/<arch>/: the shim, the launchers and lap.conf, with the machine's C compiler and nothing else.
//   node native/build.mjs [--optional] [--asan] [--probe] [--force] [--cc=CC --arch=ARCH]
// --optional: without a compiler print one warning and succeed (the root postinstall). Unchanged sources are not rebuilt.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const flags = new Set(process.argv.slice(2).filter((arg) => !arg.includes("=")));
const option = (name, fallback) =>
  process.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) ?? fallback;

const machine = { x64: "x86_64", arm64: "aarch64" }[process.arch];
const arch = option("arch", machine);
const cc = option("cc", process.env.CC ?? "cc");
const out = join(here, "out", String(arch));
const source = join(here, "src");

const WARN = ["-std=gnu11", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-g0"];
const FREESTANDING = [
  "-Os",
  "-ffreestanding",
  "-fno-stack-protector",
  "-fno-asynchronous-unwind-tables",
  "-fno-pie",
  "-no-pie",
  "-static",
  "-nostdlib",
  "-ffunction-sections",
  "-fdata-sections",
  "-fno-tree-loop-distribute-patterns",
  "-Wl,--gc-sections",
  "-Wl,--build-id=none",
  "-Wl,-z,noexecstack",
  "-s",
];
const HOSTED = [
  "-O1",
  "-g",
  "-DLAP_HOSTED",
  "-fsanitize=address,undefined",
  "-fno-sanitize-recover=all",
  "-fno-omit-frame-pointer",
];

const SHARED = ["sys.c", "text.c"];
const shimSources = () =>
  readdirSync(source).filter(
    (f) =>
      f.endsWith(".c") &&
      !["start.c", "init.c", "launcher.c", "quick.c", "record.c", "hosted.c", "fuzz_plan.c"].includes(f),
  );

/** Every program: its sources, flags and name. */
function programs() {
  const shim = shimSources();
  const list = [
    { name: "lap-shim", files: ["start.c", ...shim], flags: FREESTANDING },
    { name: "lap-init", files: ["start.c", "init.c", ...SHARED], flags: FREESTANDING },
    { name: "lap", files: ["start.c", "launcher.c", ...SHARED], flags: [...FREESTANDING, "-DLAP_BUNDLE_LINE=1"] },
    {
      name: "lap-runtime",
      files: ["start.c", "launcher.c", "quick.c", "record.c", "plan.c", "status.c", ...SHARED],
      flags: [...FREESTANDING, "-DLAP_BUNDLE_LINE=2"],
    },
  ];
  if (flags.has("--asan")) {
    list.push({ name: "lap-shim-asan", files: ["hosted.c", ...shim], flags: HOSTED });
    const parsers = ["hosted.c", "fuzz_plan.c", "plan.c", "client.c", "status.c", ...SHARED];
    list.push({ name: "lap-fuzz", files: parsers, flags: HOSTED });
  }
  if (flags.has("--probe")) list.push({ name: "lap-probe", files: ["../probe.c"], flags: ["-O2", "-static"] });
  return list;
}

function digestOf(program) {
  const hash = createHash("sha256").update(JSON.stringify([cc, arch, WARN, program]));
  for (const file of readdirSync(source)) hash.update(readFileSync(join(source, file)));
  if (program.name === "lap-probe") hash.update(readFileSync(join(here, "probe.c")));
  return hash.digest("hex");
}

function build(program) {
  const target = join(out, program.name);
  const stamp = `${target}.sha256`;
  const digest = digestOf(program);
  if (!flags.has("--force") && existsSync(target) && existsSync(stamp) && readFileSync(stamp, "utf8") === digest)
    return;
  const files = program.files.map((file) => join(source, file));
  const temporary = `${target}.${process.pid}`;
  const result = spawnSync(cc, [...WARN, ...program.flags, "-o", temporary, ...files], { stdio: "inherit" });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) throw new Error(`${cc} failed on ${program.name}`);
  renameSync(temporary, target);
  writeFileSync(stamp, digest);
}

/** A command ends before its heap is worth collecting: the young generation starts with room for all of it (MiB). */
const NODE_OPTIONS = ["--min-semi-space-size=4"];

/** lap.conf: Node, the bundle of lap, the bundle of lap-runtime, their sources for a clone that was not built, options of Node. */
function writeConf() {
  const nodeArch = arch === "aarch64" ? "arm64" : "x64";
  const at = (...parts) => relative(out, join(root, ...parts));
  const node = ["node_modules", `node-linux-${nodeArch}`, "bin", "node"];
  const pinned = existsSync(join(root, ...node)) ? at(...node) : process.execPath;
  const lines = [
    pinned,
    at("packages/cli/dist/lap.cjs"),
    at("packages/cli/dist/lap-runtime.cjs"),
    at("packages/cli/src/lap.ts"),
    at("packages/cli/src/lap-runtime.ts"),
    ...NODE_OPTIONS,
  ];
  writeFileSync(join(out, "lap.conf"), `${lines.join("\n")}\n`);
}

function main() {
  if (process.platform !== "linux" || arch === undefined)
    return skip("the native parts are for Linux on x86_64 and aarch64");
  const found = spawnSync(cc, ["--version"], { stdio: "ignore" });
  if (found.error !== undefined)
    return skip(`no C compiler ("${cc}"): install gcc and libc6-dev, then run: node native/build.mjs`);
  mkdirSync(out, { recursive: true });
  try {
    for (const program of programs()) build(program);
  } catch (error) {
    return skip(`building failed: ${error.message}`);
  }
  writeConf();
}

function skip(why) {
  console.warn(`lapstrake: ${why}. Layers and Wasm work without; the Linux sandbox does not.`);
  process.exitCode = flags.has("--optional") ? 0 : 1;
}

main();
