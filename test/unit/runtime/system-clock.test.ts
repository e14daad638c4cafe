import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/adapters/system/system-clock.ts';

describe('the system clock', () => {
  it('does not wake early', async () => {
    for (const delayMs of [0, 0.4, 1, 7, 20]) {
      const startedAt = systemClock.now();
      await systemClock.sleep(delayMs);
      expect(systemClock.now() - startedAt).toBeGreaterThanOrEqual(delayMs);
    }
  });
});

describe('the system clock on rails', () => {
  beforeEach(() => void vi.useFakeTimers({ now: 1_000 }));
  afterEach(() => void vi.useRealTimers());

  it('follows timers that were replaced after it was loaded', async () => {
    let awake = false;
    const sleeping = systemClock.sleep(60_000).then(() => {
      awake = true;
    });
    await vi.advanceTimersByTimeAsync(59_999);
    expect([systemClock.now(), awake]).toEqual([60_999, false]);
    await vi.advanceTimersByTimeAsync(2);
    await sleeping;
    expect([systemClock.now(), awake]).toEqual([61_001, true]);
  });
});
