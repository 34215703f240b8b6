// `lap images --tree`: images with their platforms, laid out as docker 28 does; colours on terminals only.
import { formatSize } from "@lapstrake/base";
import type { ImageSizes, ImageWithPlatforms } from "@lapstrake/engine";
import { colours, wantsColours, type Paint } from "../output/colours.ts";

const GAP = "   ";
const MIN_WIDTH = 20;
const DEFAULT_WIDTH = 80;
/** Columns that leave the names less than this are not shown. */
const MIN_NAME_WIDTH = 12;
const UNTAGGED = "<untagged>";
const WARNING = "WARNING: This is an experimental feature. The output may change and shouldn't be depended on.";
const CHIP = "\x1b[38;5;0m\x1b[48;5;14m";
const STYLE = {
  warning: "\x1b[93m",
  title: "\x1b[39m\x1b[1m",
  name: "\x1b[34m\x1b[1m",
  plain: "\x1b[39m",
  faint: "\x1b[39m\x1b[2m",
};

interface Column {
  readonly title: string;
  readonly width: number;
  readonly isRight?: boolean;
  readonly value: (row: ImageSizes) => string;
}

interface Layout {
  readonly paint: Paint;
  readonly columns: readonly Column[];
  readonly nameWidth: number;
}

/** Where it is printed. */
export interface TreeOutput {
  readonly isTTY?: boolean;
  /** Columns of the terminal. */
  readonly columns?: number;
}

/** The whole text. */
export function imageTreeText(images: readonly ImageWithPlatforms[], stream: TreeOutput): string {
  const paint = colours(stream);
  const width = Math.max(stream.columns ?? DEFAULT_WIDTH, MIN_WIDTH);
  const chip = wantsColours(stream) ? " U " : "U";
  const isUsed = images.some(({ platforms }) => platforms.some((each) => each.isUsed));
  const columns = fitting(allColumns(isUsed ? chip : ""), width);
  const room = columns.reduce((left, column) => left - GAP.length - column.width, width);
  const layout = { paint, columns, nameWidth: Math.min(room, widestName(images)) };
  const legend = ` Info ->  ${chip.trim()} In Use `;
  const isSpaced = images.some(({ platforms }) => platforms.length > 0);
  return [
    paint(STYLE.warning, WARNING),
    `${" ".repeat(Math.max(0, width - legend.length))}${legend}`,
    "",
    line(layout, "IMAGE", STYLE.title, (column) => paint(STYLE.title, column.title)),
    ...images.flatMap((image) => imageLines(layout, image, isSpaced)),
    "",
  ].join("\n");
}

/** Further names on lines of their own, the shortest beside the sizes; then the platforms. */
function imageLines(layout: Layout, image: ImageWithPlatforms, isSpaced: boolean): string[] {
  const names = image.summary.references.toSorted((a, b) => b.length - a.length);
  const [last = UNTAGGED] = names.splice(-1);
  const style = last === UNTAGGED ? STYLE.faint : STYLE.name;
  const children = image.platforms.map((each, i) => {
    const branch = i === image.platforms.length - 1 ? "└─" : "├─";
    return row(layout, `${branch} ${each.platform}`, each.isAvailable ? STYLE.plain : STYLE.faint, STYLE.plain, each);
  });
  return [
    ...names.map((name) => layout.paint(STYLE.name, name)),
    row(layout, last, style, STYLE.plain, image),
    ...(children.length > 0 || isSpaced ? [...children, ""] : []),
  ];
}

function row(layout: Layout, name: string, nameStyle: string, style: string, sizes: ImageSizes): string {
  return line(layout, name, nameStyle, ({ title, value }) =>
    layout.paint(title === "EXTRA" ? (value(sizes).trim() === "" ? "" : CHIP) : style, value(sizes)),
  );
}

function line(layout: Layout, name: string, style: string, cell: (column: Column) => string): string {
  const { paint, columns, nameWidth } = layout;
  const shown = name.length > nameWidth ? `${name.slice(0, nameWidth - 1)}…` : name;
  const cells = columns.map((column) => fill(cell(column), column.width, column.isRight === true));
  return [fill(paint(style, shown), nameWidth, false), ...cells].join(GAP);
}

function fill(painted: string, width: number, isRight: boolean): string {
  // oxlint-disable-next-line no-control-regex -- the sequences of `Paint` take no room
  const blank = " ".repeat(Math.max(0, width - painted.replaceAll(/\x1b\[[\d;]*m/g, "").length));
  return isRight ? blank + painted : painted + blank;
}

function allColumns(chip: string): readonly Column[] {
  return [
    { title: "ID", width: 12, value: ({ digest }) => digest.slice("sha256:".length).slice(0, 12) },
    { title: "DISK USAGE", width: 10, isRight: true, value: ({ diskBytes }) => formatSize(diskBytes) },
    { title: "CONTENT SIZE", width: 12, isRight: true, value: ({ contentBytes }) => formatSize(contentBytes) },
    { title: "EXTRA", width: 5, value: ({ isUsed }) => (isUsed ? chip : chip.replaceAll("U", " ")) },
  ];
}

/** The columns for which there is room beside the names. */
function fitting(columns: readonly Column[], width: number): Column[] {
  let left = width;
  const last = columns.findIndex((column) => (left -= GAP.length + column.width) < MIN_NAME_WIDTH);
  return columns.slice(0, last < 0 ? columns.length : last);
}

function widestName(images: readonly ImageWithPlatforms[]): number {
  const names = images.flatMap(({ summary, platforms }) => [
    ...summary.references.map(({ length }) => length),
    ...(summary.references.length === 0 ? [UNTAGGED.length] : []),
    ...platforms.map(({ platform }) => platform.length + "├─ ".length),
  ]);
  return Math.max("IMAGE".length, ...names);
}
