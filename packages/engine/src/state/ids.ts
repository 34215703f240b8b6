// Container ids (64 hex digits, as Docker's) and names (Docker's grammar, and random ones when none is given).
import { LapError } from "@lapstrake/base";
import { randomBelow, randomHex } from "./random.ts";
import { ADJECTIVES, HARBOURS } from "./words.ts";

const ID = /^[a-f0-9]{64}$/;
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const MAX_NAME_LENGTH = 255;

/** A new container id: 64 hex digits that do not read as a number when cut to 12 (Docker's rule). */
export function newContainerId(): string {
  for (;;) {
    const id = randomHex(32);
    if (!/^\d+$/.test(id.slice(0, 12))) return id;
  }
}

export function isContainerId(text: string): boolean {
  return ID.test(text);
}

/** The 12 digits people see. */
export function shortId(id: string): string {
  return id.slice(0, 12);
}

/** Checks a name given by a person; throws `ERR_LAP_NAME_INVALID` in Docker's words. */
export function checkContainerName(name: string): string {
  const bare = name.startsWith("/") ? name.slice(1) : name;
  if (NAME.test(bare) && bare.length <= MAX_NAME_LENGTH) return bare;
  throw new LapError(
    "invalidArgument",
    "ERR_LAP_NAME_INVALID",
    `Invalid container name (${name.slice(0, MAX_NAME_LENGTH)}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
  );
}

/** A random name, `adjective_harbour`; `attempt` > 0 adds a digit so that a crowded store still finds one. */
export function randomName(attempt: number): string {
  const word = `${ADJECTIVES[randomBelow(ADJECTIVES.length)]!}_${HARBOURS[randomBelow(HARBOURS.length)]!}`;
  return attempt === 0 ? word : `${word}${randomBelow(10 ** Math.min(attempt, 7))}`;
}
