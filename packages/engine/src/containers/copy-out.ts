// `cp CONTAINER:PATH …`: what is at a path of a container, as an archive or as files of this machine. Reads only: no link is followed
// out of the container's root, nothing of the container runs, whatever it does meanwhile.
import { lstatSync, realpathSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { LapError, errorCode, fromByteString, toByteString, type ByteString, type DirFs } from "@lapstrake/base";
import { openDirFs } from "@lapstrake/core";
import { TarParser, writeTar } from "@lapstrake/layers";
import type { Engine } from "../engine.ts";
import { emitContainer } from "../events/emit.ts";
import type { ContainerRecord } from "../state/record.ts";
import { resolveLinks, type ResolvedPath } from "../volumes/resolve-links.ts";
import { lookAt, withContainerFiles } from "./container-files.ts";
import { copyEntries } from "./copy-entries.ts";
import { absoluteInContainer, assertsDirectory, copyError, placeCopy, splitEntry, type CopyEnd } from "./copy-paths.ts";
import type { CopyOptions, PathStat } from "./copy-types.ts";
import { Unpacker } from "./copy-unpack.ts";

/** lstat of a path. Throws `ERR_LAP_NO_PATH` in docker's words; `shownName` is the container as typed. */
export function statPath(files: DirFs, path: string, shownName: string): PathStat {
  const { path: at } = locate(files, path, shownName, false);
  const stat = files.stat(at)!;
  const { base } = splitEntry(absoluteInContainer(path));
  const name =
    base === "." || base === "" ? splitEntry(absoluteInContainer(path).replace(/\/\.$/, "") || "/").base : base;
  const { type, mode, size, mtime } = stat;
  return { name, type, mode, size, mtime, linkTarget: type === "symlink" ? targetOf(files, at) : "" };
}

/** Where a link leads inside the container, whether or not that exists. */
function targetOf(files: DirFs, path: ByteString): string {
  const { path: target } = resolveLinks((at) => lookAt(files, at), path, { follow: true, missing: true });
  return fromByteString(`/${target}`);
}

/** Finds a path; the last name is followed when it says that it is a directory, or with `follow`. */
export function locate(files: DirFs, path: string, shownName: string, follow: boolean): ResolvedPath {
  const absolute = absoluteInContainer(path);
  try {
    const found = resolveLinks((at) => lookAt(files, at), toByteString(absolute), {
      follow: follow || assertsDirectory(absolute),
    });
    if (found.found !== undefined) return found;
  } catch (error) {
    if (errorCode(error) !== "ENOENT" && errorCode(error) !== "ENOTDIR") throw error;
  }
  throw new LapError("notFound", "ERR_LAP_NO_PATH", `Could not find the file ${path} in container ${shownName}`);
}

interface Source {
  readonly path: ByteString;
  readonly isDir: boolean;
  /** Name in the archive. */
  readonly name: string;
}

function sourceAt(files: DirFs, path: string, shownName: string, options: CopyOptions): Source {
  const { path: at, found } = locate(files, path, shownName, options.followLink === true);
  const { base } = splitEntry(absoluteInContainer(path));
  return { path: at, isDir: found?.type === "dir", name: base === "" ? "." : base };
}

/** Hands the archive of a path to `write`, chunk by chunk; returns its bytes. */
export function archiveContainerPath(
  engine: Engine,
  record: ContainerRecord,
  path: string,
  write: (chunk: Uint8Array) => void | Promise<void>,
  options: CopyOptions & { readonly shownName?: string } = {},
): Promise<number> {
  return withContainerFiles(engine, record, async (files) => {
    const source = sourceAt(files, path, options.shownName ?? record.name, options);
    emitContainer(engine.context, record, "archive-path");
    let bytes = 0;
    for (const chunk of writeTar(copyEntries(files, source.path, toByteString(source.name)))) {
      bytes += chunk.length;
      await write(chunk);
    }
    return bytes;
  });
}

/** Copies a path of a container to one of this machine; returns the bytes of the archive. Throws `ERR_LAP_COPY`. */
export function copyFromContainer(
  engine: Engine,
  record: ContainerRecord,
  path: string,
  target: string,
  options: CopyOptions & { readonly shownName?: string } = {},
): Promise<number> {
  return withContainerFiles(engine, record, (files) => {
    const source = sourceAt(files, path, options.shownName ?? record.name, options);
    const end = { path, exists: true, isDir: source.isDir };
    const place = placeCopy(end, source.name, localTarget(target));
    using out = openDirFs(place.dir);
    emitContainer(engine.context, record, "archive-path");
    const owners = options.archive === true && process.geteuid?.() === 0 ? "archive" : "maker";
    return transfer(files, source.path, place.name, new Unpacker(out, "", { owners, devices: false }));
  });
}

/** Entries through the archive format into an unpacker: one way for what is copied, however it travels. */
export function transfer(from: DirFs, path: ByteString, name: string, unpacker: Unpacker): number {
  const parser = new TarParser(unpacker);
  let bytes = 0;
  try {
    for (const chunk of writeTar(copyEntries(from, path, toByteString(name)))) {
      bytes += chunk.length;
      parser.push(chunk);
    }
    parser.finish();
    unpacker.finish();
  } finally {
    unpacker.close();
  }
  return bytes;
}

/** The destination on this machine, links followed. */
function localTarget(target: string): CopyEnd {
  const path = target === "" || assertsDirectory(target) ? `${resolve(target)}/` : resolve(target);
  const found = lstatIfThere(path);
  if (found === undefined) {
    const { dir } = splitEntry(path);
    checkParent(dir);
    return { path, exists: false, isDir: false };
  }
  const real = realpathIfThere(path);
  return { path: real, exists: true, isDir: statSync(real).isDirectory() };
}

function realpathIfThere(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    throw copyError(`invalid output path: "${basename(path)}" is a link to nothing`);
  }
}

function lstatIfThere(path: string): ReturnType<typeof lstatSync> | undefined {
  return lstatSync(path.replace(/(?<=.)\/$/, ""), { throwIfNoEntry: false });
}

function checkParent(dir: string): void {
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw copyError(`invalid output path: directory "${dir}" does not exist`);
}
