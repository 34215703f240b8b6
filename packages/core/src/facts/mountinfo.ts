// /proc/self/mountinfo as records: proc_pid_mountinfo(5).

/** One mount of this process's namespace. */
export interface MountInfo {
  readonly id: number;
  readonly parent: number;
  readonly root: string;
  readonly mountPoint: string;
  readonly options: string;
  readonly fsType: string;
  readonly source: string;
  readonly superOptions: string;
}

// Space, tab, newline and backslash are written as octal escapes.
function unescape(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}

function parseLine(line: string): MountInfo | undefined {
  const [left, right] = line.split(" - ");
  if (left === undefined || right === undefined) return undefined;
  const a = left.split(" ");
  const b = right.split(" ");
  return {
    id: Number(a[0]),
    parent: Number(a[1]),
    root: unescape(a[3] ?? ""),
    mountPoint: unescape(a[4] ?? ""),
    options: a[5] ?? "",
    fsType: b[0] ?? "",
    source: unescape(b[1] ?? ""),
    superOptions: b[2] ?? "",
  };
}

/** Parses the whole file, in mount order. */
export function parseMountInfo(text: string): MountInfo[] {
  return text
    .split("\n")
    .map(parseLine)
    .filter((mount) => mount !== undefined);
}
