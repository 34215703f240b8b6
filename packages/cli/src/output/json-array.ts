// What inspect prints without a template: the engine's JSON as it is, indented, or on one line for `--format json`.

/** Four blanks of indentation, `[]` when empty; nothing is escaped for HTML, as in docker's inspect. */
export function goJsonArray(objects: readonly unknown[]): string {
  return objects.length === 0 ? "[]" : JSON.stringify(objects, undefined, 4);
}
