// `lap login` and `lap logout`: credentials as docker's client keeps them.
import { readFileSync } from "node:fs";
import { LapError, isLapError } from "@lapstrake/base";
import { registryDomain, registryLogin, registryLogout, storedLogin } from "@lapstrake/engine";
import { readFlags, type FlagReader } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { errorText } from "../errors.ts";
import { ask } from "../terminal/ask.ts";
import { err, out } from "../output/print.ts";

const HUB_KEY = "https://index.docker.io/v1/";

export const loginCommand: Command = {
  name: "login",
  usage: "[OPTIONS] [SERVER]",
  summary: "Authenticate to a registry.\nDefaults to Docker Hub if no server is specified.",
  minArgs: 0,
  maxArgs: 1,
  interspersed: true,
  errorExitCode: 1,
  flags: [
    { long: "password", short: "p", kind: "string", help: "Password or Personal Access Token (PAT)" },
    {
      long: "password-stdin",
      kind: "bool",
      help: "Take the Password or Personal Access Token (PAT) from stdin",
    },
    { long: "username", short: "u", kind: "string", help: "Username" },
  ],
  async run({ flags, args }) {
    const domain = registryDomain(args[0]);
    const read = readFlags(flags);
    if (!["username", "password", "password-stdin"].some((name) => read.has(name)) && (await knownLogin(domain)))
      return 0;
    const { username, password } = await credentials(read);
    const file = await registryLogin(domain, { kind: "basic", username, password });
    if (file !== undefined) {
      err(`\nWARNING! Your credentials are stored unencrypted in '${file}'.\n`);
      err("Configure a credential helper to remove this warning. See\n");
      err("https://docs.docker.com/go/credential-store/\n\n");
    }
    out("Login Succeeded\n");
    return 0;
  },
};

/** Tries what is stored; false when there is nothing, or it is not taken any more. */
async function knownLogin(domain: string): Promise<boolean> {
  const stored = await storedLogin(domain);
  if (stored === undefined) return false;
  err(`Authenticating with existing credentials... [Username: ${stored.username}]\n\n`);
  err(" Info -> To login with a different account, run 'lap logout' followed by 'lap login'\n\n\n");
  try {
    await registryLogin(domain, stored);
  } catch (error) {
    if (!isLapError(error)) throw error;
    const isRefused = error.kind === "unauthenticated";
    err(isRefused ? "Stored credentials invalid or expired\n" : `Login did not succeed, error: ${errorText(error)}\n`);
    return false;
  }
  out("Login Succeeded\n");
  return true;
}

interface Login {
  readonly username: string;
  readonly password: string;
}

/** From the flags, standard input or questions. Throws `ERR_LAP_LOGIN` in docker's words. */
async function credentials(read: FlagReader): Promise<Login> {
  const [username, password] = [read.text("username"), read.text("password")];
  if (read.bool("password-stdin")) return { username: stdinUser(username, password), password: stdinPassword() };
  if (password !== undefined) err("WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n");
  const isComplete = username !== undefined && password !== undefined;
  if (!isComplete && !process.stdin.isTTY)
    throw refused("Error: Cannot perform an interactive login from a non TTY device");
  const name = username ?? (await ask("Username: "));
  if (name === "") throw refused("Error: Non-null Username Required");
  const secret = password ?? (await ask("Password: ", { hidden: true }));
  if (secret === "") throw refused("Error: Password Required");
  return { username: name, password: secret };
}

function stdinUser(username: string | undefined, password: string | undefined): string {
  if (password !== undefined) throw refused("--password and --password-stdin are mutually exclusive");
  if (username === undefined || username === "")
    throw refused("the --password-stdin option requires --username to be set");
  return username;
}

function stdinPassword(): string {
  const password = readFileSync(0, "utf8").replace(/\r?\n$/, "");
  if (password === "") throw refused("Error: Cannot perform an interactive login from a non TTY device");
  return password;
}

function refused(message: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_LOGIN", message);
}

export const logoutCommand: Command = {
  name: "logout",
  usage: "[SERVER]",
  summary: "Log out from a registry.\nIf no server is specified, the default is defined by the daemon.",
  minArgs: 0,
  maxArgs: 1,
  interspersed: true,
  errorExitCode: 1,
  flags: [],
  async run({ args }) {
    const domain = registryDomain(args[0]);
    out(`Removing login credentials for ${domain === "docker.io" ? HUB_KEY : domain}\n`);
    await registryLogout(domain);
    return 0;
  },
};
