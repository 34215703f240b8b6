// What stands in a template stays one word, whatever it is made of: asked of a real shell grammar by property.
import fc from "fast-check";
import { expect, test } from "vitest";
import { quote, shellLine, type ShellValue } from "./shell.ts";

function line(parts: TemplateStringsArray, ...values: readonly ShellValue[]): string {
  return shellLine(parts, values);
}

/** The words of a line of single-quoted and bare words, as a POSIX shell splits them. */
function words(text: string): string[] {
  const out: string[] = [];
  let word: string | undefined;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === "'") quoted = !quoted;
    else if (!quoted && char === "\\") word = (word ?? "") + text[++i]!;
    else if (!quoted && char === " ") {
      if (word !== undefined) out.push(word);
      word = undefined;
      continue;
    } else {
      if (!quoted && !/[\w@%+=:,./-]/.test(char)) throw new Error(`a bare ${JSON.stringify(char)}`);
      word = (word ?? "") + char;
    }
    word ??= "";
  }
  if (quoted) throw new Error("an open quote");
  return word === undefined ? out : [...out, word];
}

test("any text is one word", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" }).filter((text) => !text.includes("\0"))), (texts) => {
      expect(words(texts.map((text) => quote(text)).join(" "))).toEqual(texts);
    }),
  );
});

test("lists are several words, results their output, numbers themselves", () => {
  expect(line`ls ${["a b", 1, ["c"]]} ${{ stdout: "out put\n" }} ${2n} ${true}`).toBe("ls 'a b' 1 c 'out put' 2 true");
  expect(line`echo ${"plain-word_1.x/y"} a\nb`).toBe("echo plain-word_1.x/y a\\nb");
});

test("what is no word is refused", () => {
  const refused = expect.objectContaining({ code: "ERR_LAP_SHELL_VALUE" });
  expect(() => quote("a\0b")).toThrow(refused);
  for (const value of [undefined, null, {}, () => 1]) expect(() => line`ls ${value as never}`).toThrow(refused);
});
