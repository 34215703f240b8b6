// Named points where tests kill the process or fail the call: crash safety is swept by them. Nothing happens unless a test sets a hook.

type Hook = (name: string) => void;

let hook: Hook | undefined;

/** Calls the test's hook, if any. */
export function failpoint(name: string): void {
  hook?.(name);
}

/** For tests: `onPoint` is called at every failpoint; undefined ends it. */
export function setFailpointHook(onPoint: Hook | undefined): void {
  hook = onPoint;
}
