// The TypeScript shell against dash: random small scripts of builtins must give the same output and status.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UnionFs } from "@lapstrake/layers";
import { EMPTY_INPUT, NULL_OUTPUT, chunkOutput, runShell, stdioObjects } from "@lapstrake/wasm";
import { expect, test } from "vitest";
import { needs } from "../support/facts.ts";

const SCRIPTS = 400;
const BATCH = 100;

/** mulberry32: the same scripts on every run. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

class Scripts {
  readonly #below: (below: number) => number;

  constructor(seed: number) {
    this.#below = random(seed);
  }

  #pick(choices: readonly string[]): string {
    return choices[this.#below(choices.length)]!;
  }

  /** Only the chosen template is filled in: the others would recurse too. */
  #make(templates: readonly (() => string)[]): string {
    return templates[this.#below(templates.length)]!();
  }

  word(depth = 0): string {
    const v = this.#pick(["a", "b", "c", "u"]);
    const inner = (): string => (depth > 1 ? "w" : this.word(depth + 1));
    return this.#make([
      () => "x",
      () => "'p  q'",
      () => '"m n"',
      () => "1",
      () => "7",
      () => `$${v}`,
      () => `"$${v}"`,
      () => `\${${v}:-${inner()}}`,
      () => `"\${${v}-${this.#pick(["d", "e f"])}}"`,
      () => `\${${v}%${this.#pick(["?", "*o", "[0-9]"])}}`,
      () => `\${${v}##${this.#pick(["*:", "?", "x"])}}`,
      () => `\${#${v}}`,
      () => `$((${v}1 + ${this.#below(9)} * 3))`,
      () => `$(echo ${inner()})`,
      () => `"$(printf '%s:' ${inner()} ${inner()})"`,
      () => '"$@"',
      () => "$*",
      () => "$#",
      () => "$?",
      () => "a\\ b",
      () => `"q\\"$${v}\\\\"`,
      () => "f*",
      () => "./[a-f]?",
      () => `pre"${"$"}${v}"post`,
      () => "''",
      () => "`echo back`",
      () => "~x",
      () => "\\$z",
    ]);
  }

  words(): string {
    return Array.from({ length: 1 + this.#below(3) }, () => this.word()).join(" ");
  }

  test(): string {
    return this.#make([
      () => `[ ${this.word(2)} = x ] 2>/dev/null`,
      () => `[ "$a" -gt 3 ] 2>/dev/null`,
      () => "test -f f1",
      () => '[ -n "$b" -a ! -d f1 ]',
      () => "true",
      () => "false",
      () => `[ "$c" ]`,
      () => "! [ -e f2 ]",
      () => `[ "$#" -le 2 ]`,
    ]);
  }

  command(depth = 0): string {
    if (depth > 2) return `echo ${this.words()}`;
    const sub = (): string => this.command(depth + 1);
    const file = this.#pick(["f1", "f2", "fx"]);
    return this.#make([
      () => `echo ${this.words()}`,
      () => `echo ${this.words()}`,
      () => `printf '[%s]' ${this.words()}`,
      () => `${this.#pick(["a", "b", "c"])}=${this.word()}`,
      () => `if ${this.test()}; then ${sub()}; else ${sub()}; fi`,
      () => `for a in ${this.words()}; do ${sub()}; done`,
      () => `(${sub()}; b=sub)`,
      () => `{ ${sub()}; ${sub()}; }`,
      () => `${sub()} | while read -r l; do echo "<$l>"; done`,
      () => `${this.test()} && ${sub()} || ${sub()}`,
      () => `case ${this.word(2)} in x|p*) ${sub()};; [0-9]) ${sub()};; *) echo other;; esac`,
      () => `echo ${this.words()} >${file}`,
      () => `echo ${this.word()} >>${file}`,
      () => `read a b <f1; echo "$a/$b"`,
      () => `set -- ${this.words()}`,
      () => "shift 2>/dev/null",
      () => "IFS=:",
      () => "unset a",
      () => `f() { local a=in; ${sub()}; return 3; }; f ${this.words()}; echo $?`,
      () => `eval 'echo ${this.#pick(["$a", '"$b"', "x"])}'`,
      () =>
        `read c d <<E\n${this.#pick(["$a", "one  two", "x:y:z", "\\$a"])} ${this.#pick(["t", "$b "])}\nE\necho "[$c][$d]"`,
      () =>
        `n${depth}=0; while [ $n${depth} -lt 3 ]; do n${depth}=$((n${depth} + 1)); ${this.#pick([`[ $n${depth} = 2 ] && continue`, `[ $n${depth} = 2 ] && break`, ":"])}; ${sub()}; done`,
      () => `a=tmp eval 'echo $a'`,
      () => `b=env echo ${this.word()}`,
      () => "unset IFS",
      () => `echo ${this.word()} 2>/dev/null 1>&2`,
      () => "exec 4>f2; echo four >&4; exec 4>&-",
      () => `set -f; echo *; set +f`,
      () => `c=$(${sub()}; echo $a)`,
    ]);
  }

  script(): string {
    const head = this.#pick(["", "", "", "set -e\n"]);
    return (
      head +
      Array.from({ length: 2 + this.#below(5) }, () => this.command()).join("\n") +
      '\necho end $? "$a" "$b" "$c"'
    );
  }
}

interface Result {
  readonly stdout: string;
  readonly status: number;
}

/** All scripts in one dash, each in a folder of its own: a process of Node is dear to start another from. */
const DRIVER = `for n in *; do (cd "$n/cwd" && env -i PATH=/none HOME=/root /bin/dash -c "$(cat ../script)" sh one "t w" >../stdout 2>/dev/null
echo $? >../status); done`;

function dash(scripts: readonly string[]): Result[] {
  const folder = mkdtempSync(join(tmpdir(), "lap-shell-"));
  try {
    for (const [index, script] of scripts.entries()) {
      mkdirSync(join(folder, String(index), "cwd"), { recursive: true });
      writeFileSync(join(folder, String(index), "script"), script);
    }
    spawnSync("/bin/sh", ["-c", DRIVER], { cwd: folder, stdio: "ignore", timeout: 60_000 });
    return scripts.map((_, index) => ({
      stdout: readFileSync(join(folder, String(index), "stdout"), "latin1"),
      status: Number(readFileSync(join(folder, String(index), "status"), "utf8")),
    }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function ours(script: string): Result {
  let stdout = "";
  const take = chunkOutput((chunk) => (stdout += Buffer.from(chunk).toString("latin1")));
  const fs = UnionFs.create([]);
  const status = runShell({
    port: { fs, spawn: () => 127 },
    argv: ["sh", "-c", script, "sh", "one", "t w"],
    env: ["PATH=/none", "HOME=/root"],
    cwd: "/",
    fds: stdioObjects(EMPTY_INPUT, take, NULL_OUTPUT),
  });
  return { stdout, status };
}

needs("command:dash").describe("random scripts do what dash does", () => {
  const seed = Number(process.env["LAP_SHELL_SEED"] ?? "1");
  const batches = Array.from({ length: SCRIPTS / BATCH }, (_, batch) => batch);
  for (const batch of batches) {
    test(`scripts ${batch * BATCH} to ${batch * BATCH + BATCH - 1}, seed ${seed}`, () => {
      const first = seed * 100_003 + batch * BATCH;
      const scripts = Array.from({ length: BATCH }, (_, index) => new Scripts(first + index).script());

      const expected = dash(scripts);
      for (const [index, script] of scripts.entries()) {
        expect({ script, ...ours(script) }).toEqual({ script, ...expected[index] });
      }
    });
  }
});
