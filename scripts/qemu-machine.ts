// A Debian machine in qemu (software emulation) whose root is this machine's, read-only, under a layer in memory: a pure
// cgroup-v2 host with AppArmor for tests. Nothing is installed into a disk image; kernel and modules come from Debian's
// own package, unpacked into a folder of node_modules/.cache.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { basename, join } from "node:path";
import { must, ROOT, run, say } from "./run.ts";

const CACHE = join(ROOT, "node_modules/.cache/lapstrake-qemu");
const PACKAGES = ["qemu-system-x86", "kmod", "cpio", "busybox-static", "apparmor", "uidmap"];
const PROGRAMS = ["qemu-system-x86_64", "depmod", "cpio", "apparmor_parser", "newuidmap"];
/** Kernel modules beyond what Debian builds in; their dependencies are added. */
const MODULES =
  "virtio_pci virtio_blk ext4 9pnet_virtio 9p overlay veth bridge tun nf_tables nft_masq nft_chain_nat nft_nat nft_ct nft_fib_inet nft_dup_ipv4 nft_dup_ipv6 nft_dup_netdev nf_conntrack loop quota_v2 xfs";
const EXIT_MARK = /lap-machine-exit: (\d+)/;

/** A kernel unpacked, with its modules in the order of loading. */
interface Kernel {
  readonly release: string;
  readonly image: string;
  readonly folder: string;
  readonly modules: readonly string[];
}

async function installTools(): Promise<void> {
  const found = await Promise.all(PROGRAMS.map((program) => run("sh", ["-c", `command -v ${program}`])));
  if (found.every(({ code }) => code === 0) && existsSync("/bin/busybox")) return;
  say(`installing ${PACKAGES.join(" ")}`);
  await must("apt-get", ["install", "-y", "--no-install-recommends", ...PACKAGES]);
}

/** Debian's newest stock kernel of a series, `6.1.0-NN-amd64` for "6.1". */
async function packageName(series: string): Promise<string> {
  const names = (
    await must("apt-cache", [
      "search",
      "--names-only",
      `^linux-image-${series.replaceAll(".", "\\.")}\\.[0-9].*-amd64-unsigned$`,
    ])
  )
    .split("\n")
    .map((line) => line.split(" ")[0]!)
    .filter((name) => name !== "" && !/-(cloud|rt)-/.test(name));
  const newest = names.toSorted((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1);
  if (newest === undefined) throw new Error(`no kernel package of series "${series}": run apt-get update`);
  return newest;
}

async function moduleFiles(folder: string, release: string): Promise<string[]> {
  await must("depmod", ["-b", folder, release]);
  const files: string[] = [];
  for (const name of MODULES.split(" ")) {
    // A module that is built in, or that this series does not have, prints nothing to load.
    const { output } = await run("modprobe", ["-d", folder, "-S", release, "--show-depends", name]);
    for (const line of output.split("\n")) if (line.startsWith("insmod ")) files.push(line.split(" ")[1]!);
  }
  return [...new Set(files)];
}

async function kernel(series: string): Promise<Kernel> {
  const folder = join(CACHE, series);
  if (!existsSync(join(folder, "boot"))) {
    mkdirSync(folder, { recursive: true });
    const name = await packageName(series);
    say(`fetching ${name}`);
    await must("apt-get", ["download", name], { cwd: folder });
    const file = readdirSync(folder).find((entry) => entry.endsWith(".deb"))!;
    await must("dpkg", ["-x", file, "."], { cwd: folder });
    rmSync(join(folder, file));
    if (!existsSync(join(folder, "usr/lib/modules"))) symlinkSync("../lib", join(folder, "usr/lib"));
  }
  const image = readdirSync(join(folder, "boot")).find((entry) => entry.startsWith("vmlinuz-"))!;
  const release = image.slice("vmlinuz-".length);
  return { release, image: join(folder, "boot", image), folder, modules: await moduleFiles(folder, release) };
}

async function initramfs(from: Kernel, command: string): Promise<string> {
  const folder = join(CACHE, `initramfs-${process.pid}`);
  mkdirSync(join(folder, "bin"), { recursive: true });
  mkdirSync(join(folder, "modules"));
  cpSync("/bin/busybox", join(folder, "bin/busybox"), { dereference: true });
  for (const file of from.modules) cpSync(file, join(folder, "modules", basename(file)));
  writeFileSync(join(folder, "modules/order"), from.modules.map((file) => `${basename(file)}\n`).join(""));
  writeFileSync(join(folder, "init"), readFileSync(join(ROOT, "test/qemu/init.sh")), { mode: 0o755 });
  writeFileSync(join(folder, "command.sh"), command);
  const file = `${folder}.gz`;
  await must("sh", ["-c", `find . | cpio --quiet -o -H newc | gzip -1 > ${file}`], { cwd: folder });
  rmSync(folder, { recursive: true });
  return file;
}

async function scratchDisk(): Promise<string> {
  const file = join(CACHE, `scratch-${process.pid}.img`);
  await must("truncate", ["-s", "4G", file]);
  await must("mkfs.ext4", ["-q", "-E", "lazy_itable_init=1,lazy_journal_init=1", file]);
  return file;
}

function machineArguments(image: string, initrd: string, disk: string): string[] {
  const shared = "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap";
  const line = "console=ttyS0 quiet panic=-1 mitigations=off nokaslr cgroup_no_v1=all";
  return [
    ...["-accel", "tcg,thread=multi", "-cpu", "max", "-m", "3072", "-smp", "2", "-display", "none", "-serial", "stdio"],
    ...["-monitor", "none", "-nic", "none", "-no-reboot", "-kernel", image, "-initrd", initrd],
    ...["-drive", `file=${disk},if=virtio,format=raw,cache=unsafe`, "-virtfs", shared, "-append", line],
  ];
}

/** Boots a Debian kernel of `series`, runs a shell script as root in it, and gives the script's exit code; 124 when it hangs. */
export async function runInMachine(series: string, script: string, timeoutMs: number): Promise<number> {
  await installTools();
  const from = await kernel(series);
  const initrd = await initramfs(from, script);
  const disk = await scratchDisk();
  say(`booting ${from.release}`);
  const child = spawn("qemu-system-x86_64", machineArguments(from.image, initrd, disk), {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: timeoutMs,
    killSignal: "SIGKILL",
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
    process.stdout.write(chunk);
  });
  await new Promise((resolve) => child.once("close", resolve));
  for (const file of [initrd, disk]) rmSync(file);
  const mark = EXIT_MARK.exec(output);
  return mark === null ? 124 : Number(mark[1]);
}
