import type { EpochMs } from './ids.ts';

/**
 * Was it at most so long ago? By a clock that was set back meanwhile nobody can tell: then no. Pure.
 */
export const isRecent = (since: EpochMs, now: EpochMs, forMs: number): boolean =>
  now >= since && now - since <= forMs;
