// The shell by scripts: each line of a table is a script and what it prints. The contract test compares with dash.
import { fromByteString, fromBytes, toBytes } from "@lapstrake/base";
import { UnionFs } from "@lapstrake/layers";
import { describe, expect, test } from "vitest";
import { readObject, writeObject } from "../processes/objects.ts";
import type { SpawnRequest } from "./port.ts";
import { sh } from "./testing.ts";

const SCRIPTS: readonly (readonly [string, string])[] = [
  [`echo "a  b" 'c$d' e\\ f`, "a  b c$d e f\n"],
  [`x='1 2'; for i in $x "$x"; do echo "<$i>"; done`, "<1>\n<2>\n<1 2>\n"],
  [`for i in "$@"; do echo "[$i]"; done`, "[one]\n[two words]\n"],
  [`set -- a b c; shift; echo $# $* ; IFS=,; echo "$*"`, "2 b c\nb,c\n"],
  [`x=$(echo a; echo b); echo "$x"`, "a\nb\n"],
  ["echo `echo \\`echo deep\\``", "deep\n"],
  [`echo $((1 + 2 * 3)) $((7 / 2)) $((1 << 4 | 1)) $((2 > 1 ? 10 : 20))`, "7 3 17 10\n"],
  [`i=0; while [ $i -lt 3 ]; do i=$((i + 1)); [ $i = 2 ] && continue; echo $i; done`, "1\n3\n"],
  [`until [ "\${n:=0}" -ge 2 ]; do n=$((n + 1)); done; echo $n`, "2\n"],
  [`f=/a/b.tar.gz; echo \${f##*/} \${f%%.*} \${f%/*} \${f#/} \${#f}`, "b.tar.gz /a/b /a a/b.tar.gz 11\n"],
  [`echo \${u-x} \${u:-y z} \${u:+no}end; u=; echo "<\${u-x}><\${u:-x}>"`, "x y z end\n<><x>\n"],
  [`case abc in a*c) echo 1;; *) echo 2;; esac; case x in [!x]) echo 3;; [a-z]) echo 4;; esac`, "1\n4\n"],
  [`f() { local v=in; echo $v $1; return 3; }; v=out; f arg; echo $? $v`, "in arg\n3 out\n"],
  [`cat_() { while IFS= read -r l; do echo "$l"; done; }; cat_ <<E\n a $((1+1))\n\\$x\nE`, " a 2\n$x\n"],
  [`read a b <<'E'\none two three\nE\necho "$b,$a"`, "two three,one\n"],
  [`echo one >f; echo two >>f; { read a; read b; } <f; echo $b $a`, "two one\n"],
  [`{ echo out; echo err >&2; } 2>&1 | { read a; read b; echo $b $a; }`, "err out\n"],
  [`exec 3>f; echo kept >&3; exec 3>&-; read x <f; echo $x`, "kept\n"],
  [`: >a.c; : >b.c; : >.h.c; echo *.c [b]* no* "*.c"`, "a.c b.c b.c no* *.c\n"],
  [`printf '%s-%03d|' a 1 b 22; printf '%5.2s|%-4s|%x\\n' abc z 255`, "a-001|b-022|   ab|z   |ff\n"],
  [`x=1; (x=2; echo $x); echo $x`, "2\n1\n"],
  [`a=1 b=$a; echo $b; c=3 eval 'echo $c'`, "1\n3\n"],
  [`! false && echo yes; false || echo or`, "yes\nor\n"],
  [`eval 'echo "$1"'; command -v echo; [ -n "" ] || echo empty`, "one\necho\nempty\n"],
  [`cd /; pwd; echo 'echo sourced $1' >s; . ./s`, "/\nsourced one\n"],
  [`for i in 1 2; do for j in a b; do [ $j = b ] && continue 2; echo $i$j; done; done`, "1a\n2a\n"],
  [`echo a | { exec </dev/null; read x || echo end; }`, "end\n"],
];

describe("scripts", () => {
  test.each(SCRIPTS)("%s", (script, expected) => {
    const { stdout, stderr } = sh(script, { args: ["one", "two words"] });
    expect(stdout + stderr).toBe(expected);
  });
});

const STATUSES: readonly (readonly [string, number])[] = [
  ["exit 7", 7],
  ["false", 1],
  ["(exit 3)", 3],
  ["set -e; false; exit 9", 1],
  ["set -e; if false; then :; fi; false || exit 4", 4],
  ["set -e; (false; exit 9); exit 8", 1],
  ["set -u; echo $nope; exit 9", 2],
  ["nosuchprogram", 127],
  ["echo x >/no/such; exit $?", 2],
  ["x=$(exit 5)", 5],
  ["readonly r=1; r=2; exit 9", 2],
  ["echo $((1 / 0)); exit 9", 2],
  ["f() { f; }; f", 2],
];

describe("statuses", () => {
  test.each(STATUSES)("%s", (script, expected) => {
    expect(sh(script).status).toBe(expected);
  });
});

describe("syntax errors", () => {
  test.each(["if true", "echo 'open", "a &", "( echo", "case x in", "echo ${", "|", "done", "for 1 in a; do :; done"])(
    "%s",
    (script) => {
      const { status, stderr } = sh(script);
      expect(status).toBe(2);
      expect(stderr).toMatch(/syntax error in line 1/);
    },
  );
});

describe("programs", () => {
  /** A program that repeats its argv and passes its input on. */
  const spawn = (fs: UnionFs, { argv, fds, env }: SpawnRequest): number => {
    const into = new Uint8Array(64);
    writeObject(fs, fds.get(1)!, toBytes(`${argv.join(" ")} ${env.filter((text) => text.startsWith("X")).join()}\n`));
    for (let got; (got = readObject(fs, fds.get(0)!, into)) > 0;) {
      writeObject(fs, fds.get(1)!, into.slice(0, got));
    }
    return 5;
  };

  function world(script: string): ReturnType<typeof sh> {
    const fs = UnionFs.create([]);
    const bin = fs.mkdir(fs.root, "bin", 0o755);
    fs.close(fs.create(bin, "tool", 0o755, 2).handle);
    fs.close(fs.create(bin, "data", 0o644, 2).handle);
    return sh(script, { fs, spawn: (request) => spawn(fs, request) });
  }

  test("are found by PATH and get descriptors, environment and arguments", () => {
    const { stdout, status } = world("X1=a; export X1; echo in | X2=b tool 'p q'; exit $?");
    expect([stdout, status]).toEqual(["tool p q X1=a,X2=b\nin\n", 5]);
  });

  test("a long pipeline passes more than a pipe holds", () => {
    const { stdout } = world(
      "i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done | tool | tool",
    );
    expect(stdout.length).toBe(3000 * 41 + 2 * 6);
  });

  test("need no x bit, which WASI cannot set, but must be files", () => {
    expect(world("data").status).toBe(5);
    expect(world("/").status).toBe(126);
  });

  test("text that is no program runs as a script", () => {
    const fs = UnionFs.create([]);
    const noExec = Object.assign(new Error("ENOEXEC"), { code: "ENOEXEC", errno: -8 });
    const { ino, handle } = fs.create(fs.root, "s", 0o755, 2);
    fs.write(handle, toBytes("echo $0 $1 $X\n"), 0, 14, 0);
    fs.close(handle);
    expect(fs.getattr(ino).size).toBe(14);
    const { stdout } = sh("X=1; ./s a; X=2 ./s b", {
      fs,
      spawn: () => {
        throw noExec;
      },
    });
    expect(stdout).toBe("/./s a\n/./s b 2\n");
  });

  test("bytes pass unchanged", () => {
    const { stdout } = world("echo 'grüße'");
    expect(fromByteString(fromBytes(toBytes(stdout)))).toBe("grüße\n");
  });
});

test("a writer without end is ended when the pipe holds too much: programs of a pipeline run one after the other", () => {
  const yes = ({ fds }: SpawnRequest): number => {
    for (;;) writeObject(UnionFs.create([]), fds.get(1)!, new Uint8Array(1 << 20).fill(0x79));
  };
  const fs = UnionFs.create([]);
  fs.close(fs.create(fs.root, "yes", 0o755, 2).handle);
  const { stdout, status } = sh("{ ./yes; : >f; } | :; [ -e f ] || echo ended", { fs, spawn: yes });
  expect([stdout, status]).toEqual(["ended\n", 0]);
});
