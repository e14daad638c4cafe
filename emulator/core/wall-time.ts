import type { Clock } from './virtual-time.ts';

/** The ordinary clock, for the cloud that stays up on a port. */
export const createWallTime = (): Clock => ({
  now: () => Date.now(),
  after: (delayMs, effect) => {
    const timer = setTimeout(effect, Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
  busy: (work) => work,
});
