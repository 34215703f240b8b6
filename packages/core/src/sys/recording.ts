// A recording fake of the system call port: what was asked, in order, and answers from a script. For unit tests.
import type { SyscallName } from "./numbers.ts";
import type { SyscallArg, SyscallPort } from "./port.ts";

/** One recorded call. */
export interface RecordedCall {
  readonly name: SyscallName;
  readonly args: readonly SyscallArg[];
}

/** Answers a call; undefined means 0. */
export type Answer = (call: RecordedCall, index: number) => number | undefined;

/** A port that touches nothing. */
export class RecordingSyscalls implements SyscallPort {
  readonly calls: RecordedCall[] = [];
  readonly #answer: Answer;

  constructor(answer: Answer = () => undefined) {
    this.#answer = answer;
  }

  call(name: SyscallName, ...args: readonly SyscallArg[]): number {
    const call = { name, args };
    this.calls.push(call);
    return this.#answer(call, this.calls.length - 1) ?? 0;
  }

  /** `name(arg, …)` lines, bytes shown by length. */
  transcript(): string[] {
    return this.calls.map((call) => {
      const args = call.args.map((arg) => (arg instanceof Uint8Array ? `<${arg.length} bytes>` : JSON.stringify(arg)));
      return `${call.name}(${args.join(", ")})`;
    });
  }
}
