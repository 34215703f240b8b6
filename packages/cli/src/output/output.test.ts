import { expect, it } from "vitest";
import { table } from "./table.ts";
import { formatRows } from "./template.ts";
import { commandText, containerStatusText } from "./wording.ts";
import { progressLine } from "./progress.ts";

const STATUS = {
  exitCode: 137,
  oomKilled: false,
  supervisorLost: false,
  pid: 0,
  startedAt: undefined,
  finishedAt: undefined,
  error: "",
};

it("pads cells to the widest plus three and leaves the last alone", () => {
  expect(
    table(
      ["A", "LONG"],
      [
        ["xyz", "1"],
        ["…", "22"],
      ],
    ),
  ).toBe("A         LONG\nxyz       1\n…         22\n");
});

it("cuts commands to 20 runes", () => {
  expect(commandText(["sh", "-c", "echo out; echo err"], false)).toBe("sh -c 'echo out; ec…");
  expect(commandText(["sleep", "1000"], false)).toBe("sleep 1000");
});

it("words states as docker does", () => {
  expect(containerStatusText({ ...STATUS, state: "exited" })).toBe("Exited (137) Less than a second ago");
  expect(containerStatusText({ ...STATUS, state: "exited", supervisorLost: true })).toMatch(/supervisorLost/);
  expect(containerStatusText({ ...STATUS, state: "created" })).toBe("Created");
});

it("formats rows by template and as Go's JSON", () => {
  const rows = [{ ID: "1", Names: "a", Ports: "80->80", Labels: "x=y" }];
  expect(formatRows('{{.ID}} {{.Names}} {{.Label "x"}}', rows, "t")).toBe("1 a y\n");
  expect(formatRows("json", rows, "t")).toBe('{"ID":"1","Names":"a","Ports":"80-\\u003e80","Labels":"x=y"}\n');
  expect(formatRows("table {{.ID}}\\t{{.Names}}", rows, "t")).toBe("CONTAINER ID   NAMES\n1              a\n");
  expect(() => formatRows("{{.NoSuch}}", rows, "formatter.ContainerContext")).toThrow(
    'failed to execute template: template: :1:2: executing "" at <.NoSuch>: can\'t evaluate field NoSuch in type *formatter.ContainerContext',
  );
});

it("draws a bar only when the size is known", () => {
  expect(progressLine({ id: "sha256:0123456789abcdef", status: "Extracting" })).toBe("0123456789ab: Extracting");
  expect(progressLine({ id: "x", status: "Loading", current: 500, total: 1000 })).toMatch(
    /^x: Loading \[=+> +\] {2}500B\/1kB$/,
  );
});
