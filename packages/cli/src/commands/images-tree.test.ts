// The layout is docker 28's, as its own command line prints the same images to a pipe (there the titles are bold, here not).
import type { Digest } from "@lapstrake/base";
import type { ImageWithPlatforms } from "@lapstrake/engine";
import { describe, expect, it } from "vitest";
import { imageTreeText } from "./images-tree.ts";

const digest = (digit: string): Digest => `sha256:${digit.repeat(64)}` as Digest;

function image(digit: string, references: string[], rest: Partial<ImageWithPlatforms>): ImageWithPlatforms {
  const target = { mediaType: "application/json", digest: digest(digit), size: 1 };
  const platform = { os: "linux", architecture: "amd64" };
  const summary = { id: target.digest, references, target, platform, size: 0, addedSec: 0, created: undefined };
  const sizes = { digest: target.digest, diskBytes: 1_980_000, contentBytes: 0, isUsed: false };
  return { ...sizes, summary, platforms: [], ...rest };
}

const BUSYBOX = image("4", ["bb:latest"], {});
const LONG = "a-very-long-registry.example.org/some/name/alpine:edge";
const ALPINE = image("1", ["alpine:3.20", LONG], {
  ...{ diskBytes: 8_800_000, contentBytes: 3_600_000, isUsed: true },
  platforms: [
    {
      digest: digest("2"),
      platform: "linux/amd64",
      isAvailable: true,
      diskBytes: 8_800_000,
      contentBytes: 3_600_000,
      isUsed: true,
    },
    { digest: digest("3"), platform: "linux/arm/v7", isAvailable: false, diskBytes: 0, contentBytes: 0, isUsed: false },
  ],
});

describe("images as a tree", () => {
  it("shows platforms and what is used", () => {
    expect(imageTreeText([BUSYBOX, ALPINE], {}).split("\n")).toEqual([
      "WARNING: This is an experimental feature. The output may change and shouldn't be depended on.",
      "                                                              Info ->  U In Use ",
      "",
      "IMAGE                           ID             DISK USAGE   CONTENT SIZE   EXTRA",
      "bb:latest                       444444444444       1.98MB             0B        ",
      "",
      LONG,
      "alpine:3.20                     111111111111        8.8MB          3.6MB   U    ",
      "├─ linux/amd64                  222222222222        8.8MB          3.6MB   U    ",
      "└─ linux/arm/v7                 333333333333           0B             0B        ",
      "",
      "",
    ]);
  });

  it("is as narrow as its names, and drops columns that have no room", () => {
    const lines = imageTreeText([BUSYBOX], {}).split("\n");
    expect(lines.slice(3, 5)).toEqual([
      "IMAGE       ID             DISK USAGE   CONTENT SIZE   EXTRA",
      "bb:latest   444444444444       1.98MB             0B        ",
    ]);
    expect(imageTreeText([BUSYBOX], { columns: 60 }).split("\n")[3]).toBe(
      "IMAGE       ID             DISK USAGE   CONTENT SIZE",
    );
  });
});
