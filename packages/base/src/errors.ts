// The one error type every package throws, and the table that maps its kinds to exit codes and HTTP statuses.
// The kinds are containerd's set (errdefs), so that ways up to cluster engines need no second vocabulary.

/** What went wrong, independent of where. One table ({@link ERROR_KINDS}) maps each kind to its outer codes. */
export type ErrorKind =
  | "invalidArgument"
  | "notFound"
  | "alreadyExists"
  | "conflict"
  | "failedPrecondition"
  | "permissionDenied"
  | "unauthenticated"
  | "resourceExhausted"
  | "dataLoss"
  | "unavailable"
  | "unimplemented"
  | "canceled"
  | "deadlineExceeded"
  | "internal";

/** HTTP status (Docker Engine API) of each kind; the command line exits 1 or 125 by command, not by kind. */
export const ERROR_KINDS: Readonly<Record<ErrorKind, { readonly httpStatus: number }>> = {
  invalidArgument: { httpStatus: 400 },
  notFound: { httpStatus: 404 },
  alreadyExists: { httpStatus: 409 },
  conflict: { httpStatus: 409 },
  failedPrecondition: { httpStatus: 409 },
  permissionDenied: { httpStatus: 403 },
  unauthenticated: { httpStatus: 401 },
  resourceExhausted: { httpStatus: 507 },
  dataLoss: { httpStatus: 500 },
  unavailable: { httpStatus: 503 },
  unimplemented: { httpStatus: 501 },
  canceled: { httpStatus: 499 },
  deadlineExceeded: { httpStatus: 504 },
  internal: { httpStatus: 500 },
};

/** Optional parts of a {@link LapError}. */
export interface LapErrorOptions {
  /** The next step for the person who reads the error, lowercase, no full stop. */
  readonly hint?: string;
  /** The error this one explains. */
  readonly cause?: unknown;
  /** Machine-readable facts (field names, limits, digests); plain JSON values only. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** The error of every lapstrake package: a stable `code`, a `kind`, and what to do next. */
export class LapError extends Error {
  /** Stable identifier, `ERR_LAP_…`; documented, never reworded. */
  readonly code: string;
  readonly kind: ErrorKind;
  readonly hint: string | undefined;
  readonly detail: Readonly<Record<string, unknown>> | undefined;

  constructor(kind: ErrorKind, code: string, message: string, options: LapErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "LapError";
    this.kind = kind;
    this.code = code;
    this.hint = options.hint;
    this.detail = options.detail;
  }
}

/** True for a {@link LapError} of any copy of this package, optionally of one kind. */
export function isLapError(error: unknown, kind?: ErrorKind): error is LapError {
  if (!(error instanceof Error) || error.name !== "LapError") return false;
  return kind === undefined || (error as LapError).kind === kind;
}
