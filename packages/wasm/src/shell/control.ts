// Jumps of a shell script: thrown through the interpreter, caught by what they leave.

/** Leaves the shell or the subshell. */
export class ShellExit {
  readonly status: number;
  constructor(status: number) {
    this.status = status;
  }
}

/** Leaves a function or a sourced file. */
export class ShellReturn {
  readonly status: number;
  constructor(status: number) {
    this.status = status;
  }
}

/** `break n` and `continue n`. */
export class LoopJump {
  readonly kind: "break" | "continue";
  readonly levels: number;
  constructor(kind: "break" | "continue", levels: number) {
    this.kind = kind;
    this.levels = levels;
  }
}

/** Added to a signal's number: the status of what it ended. */
export const SIGNAL_BASE = 128;
/** SIGPIPE: how a program ends that writes to nobody. */
export const STATUS_PIPE: number = SIGNAL_BASE + 13;
/** The program was not found. */
export const STATUS_NOT_FOUND = 127;
/** The program was found and cannot be run. */
export const STATUS_NOT_EXECUTABLE = 126;
/** Syntax errors, bad redirections, misused builtins. */
export const STATUS_MISUSE = 2;
