// The node:fs shape of a filesystem in memory: the synchronous calls, the same as promises, and with callbacks.
import type { InodeFs } from "../fs/inode-fs.ts";
import { FileFacade } from "./files.ts";
import { SyncFacade } from "./sync.ts";

type SyncName = Extract<keyof SyncFacade, `${string}Sync`>;
type Base<N> = N extends `${infer B}Sync` ? B : never;
type Callback<T> = (error: Error | null, value?: T) => void;

/** The calls as promises: `fs.promises.readFile(path, "utf8")`. */
export type PromisesFacade = {
  readonly [N in SyncName as Base<N>]: (...args: Parameters<SyncFacade[N]>) => Promise<ReturnType<SyncFacade[N]>>;
};
/** The calls with a callback as last argument. */
export type CallbackFacade = {
  readonly [N in SyncName as Base<N>]: (
    ...args: [...Partial<Parameters<SyncFacade[N]>>, Callback<ReturnType<SyncFacade[N]>>]
  ) => void;
};

/** What `node:fs` users call. */
export type NodeFs = { readonly [N in SyncName]: SyncFacade[N] } & CallbackFacade & {
    readonly promises: PromisesFacade;
  };

/** `fs` in the shape of node:fs; give it to code that takes a filesystem. Streams are in `@lapstrake/layers/node`. */
export function nodeFs(fs: InodeFs): NodeFs {
  const facade = new SyncFacade(fs);
  const calls: Record<string, unknown> = {};
  const promises: Record<string, unknown> = {};
  for (const name of syncNames()) {
    const run = (facade[name] as (...args: unknown[]) => unknown).bind(facade);
    const base = name.slice(0, -"Sync".length);
    calls[name] = run;
    promises[base] = async (...args: unknown[]): Promise<unknown> => {
      await Promise.resolve();
      return run(...args);
    };
    calls[base] = withCallback(run);
  }
  return { ...calls, promises } as unknown as NodeFs;
}

function syncNames(): SyncName[] {
  const names = [SyncFacade, FileFacade].flatMap(({ prototype }) => Object.getOwnPropertyNames(prototype));
  return names.filter((name): name is SyncName => name.endsWith("Sync"));
}

/** Answers after the caller has returned, as Node does. */
function withCallback(run: (...args: unknown[]) => unknown): (...args: unknown[]) => void {
  return (...args) => {
    const callback = args.pop() as Callback<unknown>;
    queueMicrotask(() => {
      let value: unknown;
      try {
        value = run(...args);
      } catch (error) {
        callback(error as Error);
        return;
      }
      callback(null, value);
    });
  };
}
