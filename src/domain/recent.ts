import type { EpochMs } from './ids.ts';

/**
 * Was it at most so long ago? By a clock that was set back meanwhile nobody can tell: then no. Pure.
 */
export const isRecent = (since: EpochMs, now: EpochMs, forMs: number): boolean =>
  now >= since && now - since <= forMs;

/** A span of time for people: `90 s`, `25 min`, `49 h`. */
export const spanOf = (ms: number): string => {
  const seconds = Math.round(ms / 1000);
  if (Math.abs(seconds) < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return Math.abs(minutes) < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
};
