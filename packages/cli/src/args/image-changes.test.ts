import { expect, it } from "vitest";
import { imageChanges } from "./image-changes.ts";

it("reads instructions that touch the config only", () => {
  const lines = [
    'CMD ["sh", "-c", "x"]',
    "ENTRYPOINT run it",
    "ENV A=1",
    'env B "two words"',
    "LABEL a=b",
    "EXPOSE 80 53/udp",
    "VOLUME /data",
    "USER bob",
    "WORKDIR /w",
  ];
  expect(imageChanges(lines)).toEqual({
    Env: ["A=1", "B=two words"],
    Labels: { a: "b" },
    ExposedPorts: { "80/tcp": {}, "53/udp": {} },
    Volumes: { "/data": {} },
    Cmd: ["sh", "-c", "x"],
    Entrypoint: ["/bin/sh", "-c", "run it"],
    User: "bob",
    WorkingDir: "/w",
  });
});

it("refuses everything else", () => {
  expect(() => imageChanges(["RUN make"])).toThrow("run is not a valid change command");
  expect(() => imageChanges(['CMD ["sh"'])).toThrow("is no list of words");
});
