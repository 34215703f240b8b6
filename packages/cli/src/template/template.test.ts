import { describe, expect, it } from "vitest";
import { compileTemplate } from "./execute.ts";

const value = {
  Name: "/web",
  State: { Status: "running", Running: true, ExitCode: 0 },
  Args: ["-c", "x > y"],
  Ports: { "80/tcp": [{ HostPort: "8080" }], "443/tcp": null },
  Empty: [],
};
const run = (source: string): string => compileTemplate(source)(value);

describe("Go templates", () => {
  it.each([
    ["{{.Name}}", "/web"],
    ["{{ .State.Status }}!", "running!"],
    ["{{json .Args}}", '["-c","x > y"]'],
    ["{{.Args}}", "[-c x > y]"],
    ['{{join .Args ","}}', "-c,x > y"],
    ['{{.Name | upper | printf "%s-%d" }}', "/WEB-%!d(MISSING)"],
    ['{{printf "%s=%d" .Name .State.ExitCode}}', "/web=0"],
    ["{{if .State.Running}}yes{{else}}no{{end}}", "yes"],
    ["{{if eq .State.ExitCode 1}}a{{else if .Empty}}b{{else}}c{{end}}", "c"],
    ["{{range .Args}}[{{.}}]{{end}}", "[-c][x > y]"],
    ["{{range $i, $a := .Args}}{{$i}}:{{$a}};{{end}}", "0:-c;1:x > y;"],
    ["{{range $p, $c := .Ports}}{{$p}}{{if $c}}={{(index $c 0).HostPort}}{{end}} {{end}}", "443/tcp 80/tcp=8080 "],
    ['{{(index (index .Ports "80/tcp") 0).HostPort}}', "8080"],
    ["{{range .Empty}}x{{else}}none{{end}}", "none"],
    ["{{with .State}}{{.Status}} {{$.Name}}{{end}}", "running /web"],
    ["a {{- .Name -}} b", "a/webb"],
    ['{{len .Args}} {{not .Empty}} {{title "ab"}}', "2 true Ab"],
    ["{{/* nothing */}}x", "x"],
    ["{{$x := .Name}}{{$x}}", "/web"],
    ["{{.State}}", "map[ExitCode:0 Running:true Status:running]"],
  ])("%s", (source, expected) => {
    expect(run(source)).toBe(expected);
  });

  it.each([
    "{{.Nope}}",
    "{{nosuch .Name}}",
    "{{.Name",
    "{{if .Name}}x",
    "{{end}}",
    "{{$y}}",
    "{{(.Name}}",
    "{{#}}",
    "{{index .Args 9}}",
  ])("refuses %s", (source) => {
    expect(() => run(source)).toThrow(/template/);
  });

  it("words a missing field as the list commands do", () => {
    expect(() => compileTemplate("{{.NoSuch}}", { goType: "formatter.ContainerContext" })(value)).toThrow(
      'template parsing error: template: :1:2: executing "" at <.NoSuch>: can\'t evaluate field NoSuch in type *formatter.ContainerContext',
    );
  });

  it("does not reach prototypes", () => {
    expect(() => run("{{.constructor}}")).toThrow();
    expect(() => run("{{.__proto__}}")).toThrow();
  });
});
