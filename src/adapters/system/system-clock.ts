import type { EpochMs } from '../../domain/ids.ts';
import type { Clock } from '../../ports/system.ts';

/** The clock of the machine. Looks the globals up on each call, so that time can be put on rails. */
export const systemClock: Clock = {
  now: () => Date.now() as EpochMs,
  // Node's timers count in whole milliseconds and may fire up to one early.
  sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, Math.ceil(delayMs) + 1)),
};
