// `lap image ls IMAGE PATH…`, `lap image tree`, `lap image cat`: an image's files, without a container.
import {
  ERRNO,
  LapError,
  fromByteString,
  parsePlatform,
  systemError,
  toByteString,
  toBytes,
  type ByteString,
  type Platform,
} from "@lapstrake/base";
import { imageFs, imageTree } from "@lapstrake/engine";
import { TreeNode, findNode, resolveDir, type MergedTree } from "@lapstrake/layers";
import { readFlags, type FlagReader } from "../args/parse.ts";
import type { Command, Flag, Invocation } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { shownName } from "../output/name.ts";
import { out, outBytes } from "../output/print.ts";
import { imagesCommand } from "./images.ts";

const PLATFORM: Flag = {
  long: "platform",
  kind: "string",
  help: "Platform of an image with several, such as linux/arm64",
};
const common = { interspersed: true, errorExitCode: 1 } as const;
const LETTER = { file: "-", dir: "d", symlink: "l", char: "c", block: "b", fifo: "p", socket: "s" } as const;

/** Docker's list of images; with a path behind the name, the files there. */
export const imageLsCommand: Command = {
  ...imagesCommand,
  maxArgs: Infinity,
  flags: [
    ...imagesCommand.flags,
    {
      long: "long",
      short: "l",
      kind: "bool",
      help: "With a path behind the image: files with mode, owner, size and time",
    },
    PLATFORM,
  ],
  async run(invocation) {
    const [image = "", ...paths] = invocation.args;
    if (paths.length === 0) return await imagesCommand.run(invocation);
    const stray = paths.find((path) => !path.startsWith("/"));
    if (stray !== undefined) {
      throw new LapError("invalidArgument", "ERR_LAP_FILE", `"${stray}" is no path in an image`, {
        hint: "lap image ls lists images; lap image ls IMAGE /PATH lists files of one",
      });
    }
    const read = readFlags(invocation.flags);
    const tree = await treeOf(invocation, image);
    const long = read.bool("long");
    for (const path of paths) {
      const text = toByteString(path);
      const node = nodeAt(tree, text);
      const names = node.type === "dir" ? childrenOf(node) : [[text, node] as const];
      if (paths.length > 1 && node.type === "dir") print(`${path === paths[0] ? "" : "\n"}${text}:`);
      for (const [name, child] of names) print(long ? longLine(name, child) : name);
    }
    return 0;
  },
};

export const imageTreeCommand: Command = {
  ...common,
  name: "image tree",
  usage: "[OPTIONS] IMAGE [PATH]",
  summary: "Show the files of an image as a tree",
  minArgs: 1,
  maxArgs: 2,
  flags: [{ long: "depth", short: "L", kind: "int", help: "Folders to descend into" }, PLATFORM],
  async run(invocation) {
    const [image = "", path = "/"] = invocation.args;
    const depth = readFlags(invocation.flags).number("depth") ?? Infinity;
    const node = nodeAt(await treeOf(invocation, image), toByteString(path));
    print(toByteString(path));
    branches(node, "", depth);
    return 0;
  },
};

export const imageCatCommand: Command = {
  ...common,
  name: "image cat",
  usage: "[OPTIONS] IMAGE FILE [FILE...]",
  summary: "Print files of an image",
  minArgs: 2,
  maxArgs: Infinity,
  flags: [PLATFORM],
  async run({ flags, args, global }) {
    const [image = "", ...files] = args;
    const fs = await imageFs(engineFor(global), image, platformOf(readFlags(flags)));
    for (const file of files) outBytes(fs.readFileSync(file.startsWith("/") ? file : `/${file}`) as Uint8Array);
    return 0;
  },
};

async function treeOf({ flags, global }: Invocation, image: string): Promise<MergedTree> {
  return await imageTree(engineFor(global), image, platformOf(readFlags(flags)));
}

function platformOf(read: FlagReader): Platform | undefined {
  const text = read.text("platform");
  return text === undefined ? undefined : parsePlatform(text);
}

/** Folders are followed through links, as ls does. Throws ENOENT. */
function nodeAt({ root }: MergedTree, path: ByteString): TreeNode {
  const folder = resolveDir(root, path.split("/"));
  const node = findNode(root, folder === undefined ? path : folder.join("/"));
  if (node === undefined) throw systemError(ERRNO.ENOENT, "stat", fromByteString(path));
  return node;
}

function childrenOf(node: TreeNode): (readonly [ByteString, TreeNode])[] {
  const children = [...(node.children ?? [])].filter(
    (pair): pair is [ByteString, TreeNode] => pair[1] instanceof TreeNode,
  );
  return children.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function branches(node: TreeNode, indent: ByteString, depth: number): void {
  const children = depth > 0 ? childrenOf(node) : [];
  children.forEach(([name, child], i) => {
    const isLast = i === children.length - 1;
    print(`${indent}${toByteString(isLast ? "└── " : "├── ")}${withTarget(name, child)}`);
    branches(child, `${indent}${toByteString(isLast ? "    " : "│   ")}`, depth - 1);
  });
}

function withTarget(name: ByteString, { type, target }: TreeNode): ByteString {
  return type === "symlink" ? `${name} -> ${target}` : name;
}

/** `-rwxr-xr-x 0 0 1234 2026-01-01T00:00:00Z name`. */
function longLine(name: ByteString, node: TreeNode): ByteString {
  const time = new Date(node.mtimeSec * 1000).toISOString().replace(".000Z", "Z");
  const size =
    node.type === "char" || node.type === "block" ? `${node.rdevMajor},${node.rdevMinor}` : String(node.size);
  const owner = `${String(node.uid).padStart(5)} ${String(node.gid).padStart(5)}`;
  return `${LETTER[node.type]}${bits(node.mode)} ${owner} ${size.padStart(10)} ${time} ${withTarget(name, node)}`;
}

/** ls(1): setuid, setgid and sticky bits take the place of an x. */
function bits(mode: number): string {
  const triple = (shift: number, special: boolean, letter: string): string => {
    const of = mode >> shift;
    const last = (of & 1) === 0 ? (special ? letter.toUpperCase() : "-") : special ? letter : "x";
    return `${(of & 4) === 0 ? "-" : "r"}${(of & 2) === 0 ? "-" : "w"}${last}`;
  };
  return (
    triple(6, (mode & 0o4000) !== 0, "s") +
    triple(3, (mode & 0o2000) !== 0, "s") +
    triple(0, (mode & 0o1000) !== 0, "t")
  );
}

/** A line of bytes as the image has them; on a terminal nothing in a name steers it. */
function print(line: ByteString): void {
  if (process.stdout.isTTY) out(`${shownName(fromByteString(line))}\n`);
  else outBytes(toBytes(`${line}\n`));
}
