// The `config` block of an image config, checked: engines read it into processes, so every field has the type that config.md and
// Docker give it, and no text holds a NUL. Fields nobody knows are kept as they are.

const TEXTS = ["User", "WorkingDir", "StopSignal"] as const;
const LISTS = ["Env", "Entrypoint", "Cmd", "Shell", "OnBuild"] as const;
const MAPS = ["Labels", "ExposedPorts", "Volumes"] as const;

/** Why the block is not valid, or undefined. */
export function execConfigFault(config: unknown): string | undefined {
  if (config === undefined || config === null) return undefined;
  if (!isMap(config)) return "config is not an object";
  for (const field of TEXTS)
    if (!isAbsent(config[field]) && !isText(config[field])) return `config.${field} is not text`;
  for (const field of LISTS) {
    const list = config[field];
    if (!isAbsent(list) && !(Array.isArray(list) && list.every(isText)))
      return `config.${field} is not a list of texts`;
  }
  for (const field of MAPS)
    if (!isAbsent(config[field]) && !isMap(config[field])) return `config.${field} is not an object`;
  const labels = config["Labels"];
  if (isMap(labels) && !Object.values(labels).every(isText)) return "config.Labels are not texts";
  return undefined;
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && !value.includes("\0");
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
