// `--allow-host HOST[:PORT]` and `--secret NAME=env:VAR|file:PATH[,host=HOST]`: what a Wasm guest may send over HTTP.
import { LapError } from "@lapstrake/base";
import type { CreateRequest } from "@lapstrake/engine";

type GuestHttp = NonNullable<CreateRequest["guestHttp"]>;
type GuestSecret = NonNullable<GuestHttp["secrets"]>[number];

/** What both flags ask for; undefined without any. Throws `ERR_LAP_WASM_HTTP_OPTION`. */
export function guestHttp(allow: readonly string[], secrets: readonly string[]): GuestHttp | undefined {
  if (allow.length + secrets.length === 0) return undefined;
  return {
    ...(allow.length === 0 ? {} : { allow }),
    ...(secrets.length === 0 ? {} : { secrets: secrets.map(parseSecret) }),
  };
}

function parseSecret(text: string): GuestSecret {
  const [first = "", ...rest] = text.split(",");
  const [, name, source] = /^([^=]+)=(.+)$/s.exec(first) ?? [];
  const hosts = rest.map((word) => /^host=(.+)$/.exec(word)?.[1]);
  if (name === undefined || source === undefined || hosts.includes(undefined)) throw invalid(text);
  return { name, source, ...(hosts.length === 0 ? {} : { hosts: hosts as string[] }) };
}

/** The text may hold the secret itself: it is not repeated. */
function invalid(text: string): LapError {
  const name = text.split("=")[0] ?? "";
  return new LapError("invalidArgument", "ERR_LAP_WASM_HTTP_OPTION", `invalid --secret "${name}"`, {
    hint: "write NAME=env:VARIABLE or NAME=file:PATH, and ,host=HOST behind it for each host that gets it",
  });
}
