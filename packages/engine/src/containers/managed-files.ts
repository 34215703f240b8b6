// The three files of /etc that the engine writes for each container and binds over the image's: hostname(5), hosts(5), resolv.conf(5).
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode, type MountSpec } from "@lapstrake/base";

const FILES = ["hostname", "hosts", "resolv.conf"] as const;

/** Writes the files into the container's directory. */
export function writeManagedFiles(dir: string, hostname: string, domainname: string | undefined): void {
  const names = domainname === undefined ? hostname : `${hostname}.${domainname} ${hostname}`;
  writeFileSync(join(dir, "hostname"), `${hostname}\n`, { mode: 0o644 });
  writeFileSync(
    join(dir, "hosts"),
    `127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\nff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n127.0.1.1\t${names}\n`,
    { mode: 0o644 },
  );
  writeFileSync(join(dir, "resolv.conf"), hostResolvConf(), { mode: 0o644 });
}

function hostResolvConf(): string {
  try {
    return readFileSync("/etc/resolv.conf", "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return "";
    throw error;
  }
}

/** The binds that show them. */
export function managedFileMounts(dir: string): MountSpec[] {
  return FILES.map((name) => ({
    destination: `/etc/${name}`,
    type: "bind",
    source: join(dir, name),
    options: ["rbind", "rprivate"],
  }));
}
