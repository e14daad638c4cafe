import type { Clock } from './virtual-time.ts';

/**
 * The ordinary clock, for the cloud that stays up on a port. Its timers do not keep the process
 * alive: the open port does, so that closing it ends everything.
 */
export const createWallTime = (): Clock => ({
  now: () => Date.now(),
  after: (delayMs, effect) => {
    const timer = setTimeout(effect, Math.max(0, delayMs)).unref();
    return () => clearTimeout(timer);
  },
  busy: (work) => work,
});
