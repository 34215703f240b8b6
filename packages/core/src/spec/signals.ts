// Signal names and numbers of Linux (signal(7)), the same on x86_64 and aarch64; for kill, stop signals and exit codes.

/** Signal numbers by name without "SIG"; real-time ones are `RTMIN`, `RTMIN+1` … `RTMAX`, see {@link parseSignal}. */
export const SIGNALS: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  STKFLT: 16,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  IO: 29,
  PWR: 30,
  SYS: 31,
  RTMIN: 34,
  RTMAX: 64,
};

const ALIASES: Readonly<Record<string, string>> = { IOT: "ABRT", CLD: "CHLD", POLL: "IO", UNUSED: "SYS" };

/** Number of `9`, `KILL`, `SIGKILL`, `rtmin+3`; undefined when it names no signal (1..64). */
export function parseSignal(text: string): number | undefined {
  if (/^\d{1,2}$/.test(text)) return inRange(Number(text));
  const name = text.toUpperCase().replace(/^SIG/, "");
  const realTime = /^(RTMIN|RTMAX)([+-])(\d{1,2})$/.exec(name);
  if (realTime !== null) return realTimeSignal(realTime[1]!, realTime[2]!, Number(realTime[3]));
  const found = ALIASES[name] ?? name;
  return Object.hasOwn(SIGNALS, found) ? SIGNALS[found] : undefined;
}

/** `SIGTERM` of 15; `SIGRTMIN+1` of 35; undefined outside 1..64. */
export function signalName(signal: number): string | undefined {
  for (const [name, value] of Object.entries(SIGNALS)) if (value === signal) return `SIG${name}`;
  return signal > 34 && signal < 64 ? `SIGRTMIN+${signal - 34}` : undefined;
}

function inRange(signal: number): number | undefined {
  return signal >= 1 && signal <= 64 ? signal : undefined;
}

function realTimeSignal(base: string, sign: string, offset: number): number | undefined {
  const value = base === "RTMIN" ? 34 + offset : 64 - offset;
  const goesInward = (base === "RTMIN") === (sign === "+");
  return goesInward && value >= 34 && value <= 64 ? value : undefined;
}
