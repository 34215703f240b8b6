// config.json of docker's client: who logs in where, and which helpers keep it.
import { mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { errorCode } from "@lapstrake/base";
import { parseDockerConfig, type DockerConfig } from "@lapstrake/layers";
import { writeFileAtomic } from "../state/atomic.ts";

const NO_LOGINS: DockerConfig = { auths: new Map(), credHelpers: new Map(), credsStore: undefined };

/** `$DOCKER_CONFIG` or ~/.docker. */
function configDir(): string {
  const dir = process.env["DOCKER_CONFIG"] ?? "";
  return dir === "" ? join(homedir(), ".docker") : dir;
}

/** What it says of registries. */
export function readLogins(): DockerConfig {
  const bytes = readConfig();
  return bytes === undefined ? NO_LOGINS : parseDockerConfig(bytes);
}

/** Where it is, there or not. */
export function configPath(): string {
  return join(configDir(), "config.json");
}

/** Undefined when there is none. */
export function readConfig(): Uint8Array | undefined {
  try {
    return readFileSync(configPath());
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

/** Makes the folder when there is none. */
export function writeConfig(bytes: Uint8Array): void {
  mkdirSync(configDir(), { recursive: true, mode: 0o700 });
  writeFileAtomic(configPath(), Buffer.from(bytes).toString("utf8"));
}
