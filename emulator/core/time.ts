/** Undoes a scheduled effect; calling it twice, or after the effect ran, does nothing. */
export type Cancel = () => void;

/**
 * The emulated cloud's only notion of time. Virtual or wall: services cannot tell.
 * Times are epoch milliseconds, delays are milliseconds.
 */
export interface Time {
  now(): number;
  /** Runs `effect` once, `delayMs` from now; never synchronously, not even for 0. */
  after(delayMs: number, effect: () => void): Cancel;
}

/** ISO 8601 with milliseconds, as AWS writes it: `2026-11-22T21:29:54.000Z`. */
export const isoTime = (epochMs: number): string => new Date(epochMs).toISOString();
