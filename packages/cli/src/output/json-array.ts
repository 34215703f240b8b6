// What inspect prints without a format: Go's indented JSON.

/** Four blanks of indentation, `[]` when empty, and Go's escapes. */
export function goJsonArray(objects: readonly unknown[]): string {
  if (objects.length === 0) return "[]";
  return JSON.stringify(objects, undefined, 4).replaceAll(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
