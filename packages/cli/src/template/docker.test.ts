// What docker 28.2 answered to these templates on an object like this one.
import { describe, expect, it } from "vitest";
import { compileTemplate } from "./execute.ts";

const OBJECT = {
  Id: "d762",
  Name: "/tc",
  HostConfig: {
    NetworkMode: "bridge",
    Binds: null,
    NanoCpus: 0,
    RestartPolicy: { Name: "unless-stopped", MaximumRetryCount: 0 },
    PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] },
    LogConfig: { Type: "json-file", Config: {} },
  },
  RestartCount: 0,
  State: { Status: "running", Running: true, OOMKilled: false, Pid: 42, FinishedAt: "", StartedAt: "now" },
  Config: {
    AttachStdin: false,
    Tty: false,
    Env: ["FOO=a b"],
    Entrypoint: null,
    Labels: { "a.b": "c", x: "y" },
    ExposedPorts: { "80/tcp": {} },
  },
  NetworkSettings: { Ports: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "8080" }] }, Networks: {} },
  Mounts: [
    {
      Type: "volume",
      Name: "v",
      Source: "/s",
      Destination: "/v",
      Driver: "local",
      Mode: "z",
      RW: true,
      Propagation: "",
    },
  ],
};
const run = (source: string): string => compileTemplate(source)(OBJECT);

describe("templates as docker answers them", () => {
  it.each([
    ["{{.ID}} {{.HostConfig.NanoCPUs}}", "d762 0"],
    ["{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}", "none"],
    ["{{.Config.Labels.nope}}|{{.NetworkSettings.Networks.nope.IPAddress}}", "<no value>|<no value>"],
    ['{{index .Config.Labels "nope"}}|{{index .NetworkSettings.Ports "81/tcp"}}', "|<no value>"],
    ["{{.Config.Entrypoint}} {{.HostConfig.Binds}} {{.SizeRw}} {{json .HostConfig.Binds}}", "[] [] <nil> null"],
    ["{{.HostConfig.RestartPolicy}} {{.HostConfig.LogConfig}}", "{unless-stopped 0} {json-file map[]}"],
    ["{{.HostConfig.PortBindings}} {{.Config.ExposedPorts}}", "map[80/tcp:[{127.0.0.1 }]] map[80/tcp:{}]"],
    ["{{.Mounts}}", "[{volume v /s /v local z true }]"],
    ['{{slice .Name 1}} {{print .Name 1 2 "x" "y"}} {{truncate .Name 2}}', "tc /tc1 2xy /t"],
    ['{{printf "%-6s|%4d|%q|%t" .Name .State.Pid .Name .State.Running}}', '/tc   |  42|"/tc"|true'],
    ["{{'a'}} {{0x10}} {{1.5}} {{range 3}}x{{end}}", "97 16 1.5 xxx"],
    ['{{define "T"}}[{{.}}]{{end}}{{template "T" .Name}}{{block "B" .Id}}<{{.}}>{{end}}', "[/tc]<d762>"],
    ["{{range .Config.Labels}}{{.}}{{break}}{{end}}{{range .Mounts}}{{continue}}x{{end}}", "c"],
    ['{{eq .State.Status "a" "running"}} {{and true 0}} {{or 0 "x"}}', "true 0 x"],
    [`{{html "<a>"}} {{js "it's"}} {{urlquery "a b"}}`, "&lt;a&gt; it\\'s a+b"],
    ['{{"}}"}}{{- /* trimmed */ -}}  {{"\\x41\\n"}}', "}}A\n"],
  ])("%s", (source, answer) => {
    expect(run(source)).toBe(answer);
  });

  it.each([
    ["{{.State.Nope.More}}", ':1:8: executing "" at <.State.Nope.More>: map has no entry for key "Nope"'],
    ["a\n{{.Name.x}}", ':2:7: executing "" at <.Name.x>: can\'t evaluate field x in type interface {}'],
    ["{{index .Mounts 9}}", ':1:2: executing "" at <index .Mounts 9>: error calling index: index out of range: 9'],
    ['{{index .Config.Env "x"}}', "error calling index: cannot index slice/array with type string"],
    [
      '{{(index (index .NetworkSettings.Ports "81/tcp") 0).HostPort}}',
      ':1:3: executing "" at <index (index .NetworkSettings.Ports "81/tcp") 0>: error calling index: index of untyped nil',
    ],
    ["{{len 3}}", "error calling len: len of type int"],
    ["{{nil}}", "nil is not a command"],
    ["{{nope .Name}}", ':1: function "nope" not defined'],
    ["{{if}}", ":1: missing value for if"],
    ["{{.Name", ":1: unclosed action"],
  ])("%s is refused", (source, words) => {
    expect(() => run(source)).toThrow(words);
  });
});
