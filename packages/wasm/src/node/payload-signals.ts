// The signals that end a guest, in whichever thread it runs.

/** Besides SIGINT, which is what breaks a guest off. */
export const ENDING = ["SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;

/** How long SIGINT may come before the signal that it follows. */
export const SETTLE_MS = 50;

/** The word that a thread which answers requests counts up, and how often: whoever computes does not. */
export const BEAT = 2;
export const BEAT_MS = 10;
