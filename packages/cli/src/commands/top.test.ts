import { expect, it } from "vitest";
import { psLine, psRows } from "./top.ts";

const PS =
  "UID   PID  PPID  C STIME TTY          TIME CMD\nroot   42     1  0 10:00 ?        00:00:00 sh -c sleep 1; echo  two\n";

it("keeps the command whole, whatever blanks are in it", () => {
  const [header, row] = psRows(PS);
  expect(header!.cells.at(-1)).toBe("CMD");
  expect(row).toEqual({
    pid: 42,
    cells: ["root", "42", "1", "0", "10:00", "?", "00:00:00", "sh -c sleep 1; echo two"],
  });
});

it("needs the process ids to know whose a row is", () => {
  expect(() => psRows("UID CMD\nroot sh\n")).toThrow("Couldn't find PID field in ps output");
});

it("pads every cell but the last to twenty", () => {
  expect(psLine(["root", "42", "sh"])).toBe(`${"root".padEnd(20)}${"42".padEnd(20)}sh\n`);
});
