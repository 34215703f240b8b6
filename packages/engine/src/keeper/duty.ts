// What the keeper does for containers, one kind of work each: names, ports. It follows the records; dispose ends all of it.

/** Told of what failed; each failure concerns one subject (a container, a port) and leaves the others alone. */
export type Report = (subject: string, error: unknown) => void;

/** One kind of work. */
export interface Duty extends AsyncDisposable {
  /** How much there is to do now; the keeper stays while any duty has some. */
  readonly size: number;
  /** Makes what is done what the records say. */
  sync(report: Report): Promise<void>;
}
