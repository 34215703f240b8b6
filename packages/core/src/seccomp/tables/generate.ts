// Writes the system call tables beside this file from kernel headers; run by a person when a kernel adds calls.
// Debian: linux-libc-dev linux-libc-dev-arm64-cross linux-libc-dev-armhf-cross, and cpp; then
//   node generate.ts x86=/usr/include/x86_64-linux-gnu arm64=/usr/aarch64-linux-gnu/include arm=/usr/arm-linux-gnueabihf/include
// Calls newer than those headers come from NEWER: since 424 a call has one number on every architecture.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";

interface Table {
  readonly file: string;
  readonly constant: string;
  readonly headers: string;
  readonly include: string;
  readonly defines: readonly string[];
  readonly newer: Readonly<Record<string, number>>;
}

const X32_BIT = 0x4000_0000;
// Names that are no calls: counters, bases and the generic table's placeholder.
const NOT_CALLS = new Set([
  "syscalls",
  "SYSCALL_BASE",
  "OABI_SYSCALL_BASE",
  "arch_specific_syscall",
  "Linux",
  "SYSCALL_MASK",
]);

const NEWER: Readonly<Record<string, number>> = {
  cachestat: 451,
  fchmodat2: 452,
  map_shadow_stack: 453,
  futex_wake: 454,
  futex_wait: 455,
  futex_requeue: 456,
  statmount: 457,
  listmount: 458,
  lsm_get_self_attr: 459,
  lsm_set_self_attr: 460,
  lsm_list_modules: 461,
  mseal: 462,
  setxattrat: 463,
  getxattrat: 464,
  listxattrat: 465,
  removexattrat: 466,
  open_tree_attr: 467,
  file_getattr: 468,
  file_setattr: 469,
  listns: 470,
  rseq_slice_yield: 471,
};
const NEWER_X86_64: Readonly<Record<string, number>> = { ...NEWER, uretprobe: 335, uprobe: 336 };

const TABLES: readonly Table[] = [
  { file: "x86-64", constant: "X86_64", headers: "x86", include: "unistd_64.h", defines: [], newer: NEWER_X86_64 },
  { file: "x86", constant: "X86", headers: "x86", include: "unistd_32.h", defines: [], newer: NEWER },
  { file: "x32", constant: "X32", headers: "x86", include: "unistd_x32.h", defines: [], newer: NEWER_X86_64 },
  {
    file: "aarch64",
    constant: "AARCH64",
    headers: "arm64",
    include: "unistd.h",
    defines: ["__aarch64__", "__BITS_PER_LONG=64"],
    newer: NEWER,
  },
  { file: "arm", constant: "ARM", headers: "arm", include: "unistd.h", defines: ["__ARM_EABI__"], newer: NEWER },
];

function macros(folder: string, table: Table): Map<string, string> {
  const defines = table.defines.map((define) => `-D${define}`);
  const text = execFileSync("cpp", ["-undef", "-nostdinc", "-dM", "-I", folder, ...defines, "-"], {
    encoding: "utf8",
    input: `#include <asm/${table.include}>\n`,
  });
  return new Map([...text.matchAll(/^#define (\w+) (.+)$/gm)].map((found) => [found[1]!, found[2]!.trim()]));
}

// A macro is a number, another macro, or a base plus one.
function evaluate(expression: string, all: ReadonlyMap<string, string>): number {
  const terms = expression.replaceAll(/[()\s]/g, "").split("+");
  const value = (term: string): number => {
    if (term === "__X32_SYSCALL_BIT") return X32_BIT;
    return all.has(term) ? evaluate(all.get(term)!, all) : Number(term);
  };
  return terms.reduce((sum, term) => sum + value(term), 0);
}

function calls(folder: string, table: Table): Map<string, number> {
  const all = macros(folder, table);
  const found = new Map<string, number>();
  for (const [macro, expression] of all) {
    const name = /^__(?:ARM_)?NR_(\w+)$/.exec(macro)?.[1];
    if (name === undefined || NOT_CALLS.has(name) || name === "BASE") continue;
    const number = evaluate(expression, all) & ~X32_BIT;
    if (!Number.isInteger(number)) throw new Error(`${table.file}: ${macro} is ${expression}`);
    found.set(name, number);
  }
  for (const [name, number] of Object.entries(table.newer)) {
    if ((found.get(name) ?? number) !== number) throw new Error(`${table.file}: the headers disagree on ${name}`);
    found.set(name, number);
  }
  return found;
}

// Names in the order of their numbers; a number stands where the count does not go on by one.
function encode(found: ReadonlyMap<string, number>): string[] {
  const words: string[] = [];
  let next = -1;
  const sorted = [...found].toSorted((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1));
  for (const [name, number] of sorted) {
    if (number !== next) words.push(String(number));
    words.push(name);
    next = number + 1;
  }
  return words;
}

function wrap(words: readonly string[]): string {
  const lines: string[] = [""];
  for (const word of words) {
    const last = lines.length - 1;
    if (lines[last]!.length + word.length > 115) lines.push(word);
    else lines[last] += lines[last] === "" ? word : ` ${word}`;
  }
  return lines.join("\n");
}

function write(folders: ReadonlyMap<string, string>, table: Table): void {
  const folder = folders.get(table.headers);
  if (folder === undefined) throw new Error(`name the headers: ${table.headers}=FOLDER`);
  const found = calls(folder, table);
  const text = [
    `// System calls of ${table.file}; written by generate.ts from kernel headers, see there. A number resets the count.`,
    "",
    `/** ${found.size} names in the order of their numbers. */`,
    `export const ${table.constant}: string = \``,
    wrap(encode(found)),
    "`;",
    "",
  ];
  writeFileSync(join(import.meta.dirname, `${table.file}.ts`), text.join("\n"));
}

const folders = new Map(argv.slice(2).map((word) => word.split("=", 2) as [string, string]));
for (const table of TABLES) write(folders, table);
