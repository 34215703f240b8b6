// `cp … CONTAINER:PATH`: files of this machine, or an archive, into a container. Every write goes beneath the container's root by
// descriptors; links of the container lead where they lead in it.
import { lstatSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { LapError, errorCode, toByteString, type ByteString, type DirFs } from "@lapstrake/base";
import { openDirFs } from "@lapstrake/core";
import { TarParser } from "@lapstrake/layers";
import type { Engine } from "../engine.ts";
import { emitContainer } from "../events/emit.ts";
import { MergedView } from "../sandbox/merged-view.ts";
import type { ContainerRecord } from "../state/record.ts";
import { resolveLinks } from "../volumes/resolve-links.ts";
import { lookUpUser } from "./bundle.ts";
import { lookAt, withContainerFiles } from "./container-files.ts";
import { locate, statPath, transfer } from "./copy-out.ts";
import { absoluteInContainer, assertsDirectory, copyError, placeCopy, type CopyEnd } from "./copy-paths.ts";
import type { CopyOptions } from "./copy-types.ts";
import { Unpacker, type UnpackOptions } from "./copy-unpack.ts";

type InOptions = CopyOptions & { readonly shownName?: string };

/** Copies a path of this machine into a container; returns the bytes of the archive. Throws `ERR_LAP_COPY`, `ERR_LAP_NO_PATH`. */
export function copyToContainer(
  engine: Engine,
  record: ContainerRecord,
  source: string,
  target: string,
  options: InOptions = {},
): Promise<number> {
  const from = localSource(source, options.followLink === true);
  const shownName = options.shownName ?? record.name;
  return withContainerFiles(engine, record, (files) => {
    const place = placeCopy(from.end, from.name, containerTarget(files, target, shownName));
    const unpacker = unpackerAt(files, record, place.dir, shownName, options);
    using dir = openDirFs(from.dir);
    const bytes = transfer(dir, from.path, place.name, unpacker);
    emitContainer(engine.context, record, "extract-to-dir");
    return bytes;
  });
}

/** Extracts an archive into a directory of a container; returns its bytes. Throws `ERR_LAP_COPY`, `ERR_LAP_NO_PATH`, `ERR_LAP_TAR_…`. */
export function extractToContainer(
  engine: Engine,
  record: ContainerRecord,
  archive: AsyncIterable<Uint8Array>,
  target: string,
  options: InOptions = {},
): Promise<number> {
  const shownName = options.shownName ?? record.name;
  return withContainerFiles(engine, record, async (files) => {
    const end = containerTarget(files, target, shownName);
    if (!end.isDir) throw copyError(`destination "${shownName}:${target}" must be a directory`);
    const unpacker = unpackerAt(files, record, end.path, shownName, options);
    const parser = new TarParser(unpacker);
    let bytes = 0;
    try {
      for await (const chunk of archive) {
        bytes += chunk.length;
        parser.push(chunk);
      }
      parser.finish();
      unpacker.finish();
    } finally {
      unpacker.close();
    }
    emitContainer(engine.context, record, "extract-to-dir");
    return bytes;
  });
}

interface LocalSource {
  readonly end: CopyEnd;
  /** Folder that is opened, and the path in it. */
  readonly dir: string;
  readonly path: ByteString;
  readonly name: string;
}

/** Throws `lstat …: no such file or directory` as docker's client does. */
export function localSource(source: string, followLink: boolean): LocalSource {
  const plain = resolve(source);
  const isContents = source === "." || source.endsWith("/.");
  const name = isContents || plain === "/" ? "." : basename(plain);
  const parent = existing(dirname(plain), (path) => realpathSync(path));
  const shown = `${parent}/${basename(plain)}`;
  const isLink = existing(shown, (path) => lstatSync(path).isSymbolicLink());
  const follows = isLink && (followLink || assertsDirectory(source));
  const real = follows ? existing(shown, (path) => realpathSync(path)) : join(parent, basename(plain));
  const isDir = lstatSync(real).isDirectory();
  if (!isDir && assertsDirectory(source)) throw copyError("not a directory");
  const end = { path: isContents ? `${plain}/.` : plain, exists: true, isDir };
  if (isDir) return { end, dir: real, path: "", name };
  return { end, dir: dirname(real), path: toByteString(basename(real)), name };
}

function existing<T>(path: string, look: (path: string) => T): T {
  try {
    return look(path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT" && errorCode(error) !== "ENOTDIR") throw error;
    const why = errorCode(error) === "ENOENT" ? "no such file or directory" : "not a directory";
    throw copyError(`lstat ${path}: ${why}`);
  }
}

/** The destination in the container; a link there leads on. */
function containerTarget(files: DirFs, target: string, shownName: string): CopyEnd {
  const missing = { path: absoluteInContainer(target), exists: false, isDir: false };
  let stat;
  try {
    stat = statPath(files, target, shownName);
    if (stat.type === "symlink") {
      missing.path = stat.linkTarget;
      stat = statPath(files, stat.linkTarget, shownName);
    }
  } catch (error) {
    if (error instanceof LapError && error.code === "ERR_LAP_NO_PATH") return missing;
    throw error;
  }
  const { type } = stat;
  if (type !== "dir" && assertsDirectory(target)) return missing;
  if (type === "char" || type === "block" || type === "fifo" || type === "socket") {
    const what = type === "char" || type === "block" ? "a device" : "an irregular file";
    throw copyError(`destination "${shownName}:${target}" must be a directory or a regular file: got ${what}`);
  }
  return { path: missing.path, exists: true, isDir: type === "dir" };
}

function unpackerAt(
  files: DirFs,
  record: ContainerRecord,
  dir: string,
  shownName: string,
  options: InOptions,
): Unpacker {
  const { path, found } = locate(files, dir, shownName, true);
  if (found?.type !== "dir") {
    throw new LapError("invalidArgument", "ERR_LAP_COPY_PLACE", "extraction point is not a directory");
  }
  checkWritable(record, path);
  const parentOf = (at: ByteString): ByteString =>
    resolveLinks((each) => lookAt(files, each), at, { follow: true, missing: true }).path;
  return new Unpacker(files, path, { owners: ownersOf(files, record, options), devices: true, parentOf });
}

/** What the container may not write, nobody writes for it. */
function checkWritable({ mounts = [], request }: ContainerRecord, path: ByteString): void {
  const inside = mounts.filter(({ target }) => `/${path}/`.startsWith(`${toByteString(target)}/`));
  const mount = inside.toSorted((a, b) => b.target.length - a.target.length)[0];
  if (mount?.readOnly === true) throw readOnly("mounted volume is marked read-only");
  if (mount === undefined && request.readonlyRootfs === true) throw readOnly("container rootfs is marked read-only");
}

function readOnly(message: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_COPY_READ_ONLY", message);
}

/** With `-a` files become those of the container's user. */
function ownersOf(files: DirFs, { process, request }: ContainerRecord, options: InOptions): UnpackOptions["owners"] {
  if (options.archive !== true || process.user === "") return "archive";
  const { uid = 0, gid = 0 } = lookUpUser(process.user, request.groupAdd ?? [], new MergedView([files])).spec;
  return { uid, gid };
}
