export function cleanup(cgroupsPath: string): void {
  throw new Error("being written");
}
