// The escape table of the Wasm sandbox: the ways out that opened other hosts, and everything a guest can do with a path. Used over
// the union filesystem (contract tier) and over a directory of the machine mounted with -v (kernel tier).
import { DIR_RIGHTS, FILE_RIGHTS, ROOT_FD, type Probe } from "@lapstrake/wasm/probe";

export const SECRET = "top secret";
/** What a guest writes wherever it gets to. */
export const MARK = "the guest was here";

/** Links that lie in the jail: name and target. `outside` is beside the jail. */
export function jailLinks(outside: string): Record<string, string> {
  return {
    reldir: "../outside",
    absdir: outside,
    relfile: "../outside/secret",
    absfile: `${outside}/secret`,
    chain: "reldir",
    up: "..",
    root: "/",
    deep: "a/b/../../../outside",
    dots: "./../outside/./secret",
  };
}

/** Hard links of links: name and the link it is another name of. */
export const HARD_LINKS: Readonly<Record<string, string>> = { hardrel: "relfile", harddir: "reldir" };

/** Paths that would name the secret, and the directory it is in. */
export const ROWS: readonly (readonly [title: string, file: string, dir: string])[] = [
  ["dot-dot", "../outside/secret", "../outside"],
  ["absolute", "/outside/secret", "/outside"],
  ["dot-dot after a name", "a/../../outside/secret", "a/../../outside"],
  ["doubled slashes", "..//outside//secret", "..//outside//"],
  ["backslashes", "..\\outside\\secret", "..\\outside"],
  ["trailing slash", "../outside/secret/", "../outside/"],
  ["relative directory link", "reldir/secret", "reldir"],
  ["absolute directory link", "absdir/secret", "absdir"],
  ["relative directory link, trailing slash", "reldir/secret", "reldir/"],
  ["relative file link", "relfile", "up/outside"],
  ["absolute file link", "absfile", "root/outside"],
  ["link to a link", "chain/secret", "chain"],
  ["link of dots", "dots", "deep"],
  ["hard link of a link", "hardrel", "harddir"],
  ["dot-dot through a link", "reldir/../outside/secret", "reldir/../outside"],
];

/** One operation on a row; a number is an errno or a descriptor, text is what was read. */
export type Attempt = (probe: Probe, file: string, dir: string, follow: boolean) => string | number;

/** Writes and resizes through a descriptor, when there is one. */
function overwrite(probe: Probe, fd: number): number {
  if (fd < 0) return fd;
  probe.call("fd_filestat_set_size", fd, 3n);
  return probe.write(fd, MARK);
}

/** Every operation. */
export const OPERATIONS: Readonly<Record<string, Attempt>> = {
  read: (probe, file, _dir, follow) => {
    const fd = probe.open(ROOT_FD, file, { follow, rights: FILE_RIGHTS & 2 });
    return fd < 0 ? fd : probe.readAll(fd);
  },
  write: (probe, file, _dir, follow) => overwrite(probe, probe.open(ROOT_FD, file, { follow, rights: FILE_RIGHTS })),
  truncate: (probe, file, _dir, follow) => probe.open(ROOT_FD, file, { follow, oflags: 8 }),
  create: (probe, _file, dir, follow) => overwrite(probe, probe.open(ROOT_FD, `${dir}/new`, { follow, oflags: 1 })),
  "open directory": (probe, _file, dir, follow) => probe.open(ROOT_FD, dir, { follow, oflags: 2, rights: DIR_RIGHTS }),
  mkdir: (probe, _file, dir) => probe.at("path_create_directory", ROOT_FD, `${dir}/made`),
  rmdir: (probe, _file, dir) => probe.at("path_remove_directory", ROOT_FD, `${dir}/empty`),
  unlink: (probe, file, dir) => {
    probe.at("path_unlink_file", ROOT_FD, `${dir}/secret`);
    // The link itself is the guest's to remove; what it points at is not.
    return file.includes("/") ? probe.at("path_unlink_file", ROOT_FD, file) : 0;
  },
  "rename in": (probe, _file, dir) => probe.from("path_rename", ROOT_FD, `${dir}/secret`, ROOT_FD, "stolen"),
  "rename out": (probe, _file, dir) => probe.from("path_rename", ROOT_FD, "mine", ROOT_FD, `${dir}/mine`),
  "link in": (probe, _file, dir) => probe.from("path_link", ROOT_FD, `${dir}/secret`, ROOT_FD, "linked"),
  "link out": (probe, _file, dir) => probe.from("path_link", ROOT_FD, "mine", ROOT_FD, `${dir}/mine`),
  symlink: (probe, _file, dir) => probe.symlink("x", ROOT_FD, `${dir}/sym`),
  stat: (probe, _file, dir) => probe.call("path_filestat_get", ROOT_FD, 1, ...probe.path(`${dir}/secret`), 128),
  "set times": (probe, _file, dir) =>
    probe.call("path_filestat_set_times", ROOT_FD, 1, ...probe.path(`${dir}/secret`), 5n, 5n, 5),
};
