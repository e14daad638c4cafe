import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextLookMs, type Wait, waitAfter } from '../../../src/domain/looks.ts';

const waits: readonly Wait[] = ['power-off', 'shutdown', 'detach', 'recovery'];

/** How many looks a wait of this length takes, with a round trip of 80 ms each. */
const looksIn = (wait: Wait, lengthMs: number): number => {
  let looks = 0;
  for (let at = 0; at < lengthMs; looks++) at += nextLookMs(wait, at) + 80;
  return looks;
};

describe('looks', () => {
  it.each(waits)('never end, however long a wait for %s lasts', (wait) => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 86_400_000 }), (waitedMs) => {
        expect(nextLookMs(wait, waitedMs)).toBeGreaterThan(0);
        expect(nextLookMs(wait, waitedMs)).toBeLessThanOrEqual(15_000);
      }),
    );
  });

  it.each(waits)('become ever fewer when a wait for %s is overdue', (wait) => {
    const waited = fc.integer({ min: 20_000, max: 86_400_000 });
    fc.assert(
      fc.property(waited, waited, (a, b) => {
        const [earlier, later] = a <= b ? [a, b] : [b, a];
        expect(nextLookMs(wait, earlier)).toBeLessThanOrEqual(nextLookMs(wait, later));
      }),
    );
  });

  it.each(waits)('start within a second of the beginning of a wait for %s', (wait) => {
    expect(nextLookMs(wait, 0)).toBeLessThanOrEqual(1_000);
  });

  it('are fewer than 70 for a stop and a detach of the usual length', () => {
    expect(looksIn('power-off', 12_000) + looksIn('detach', 2_000)).toBeLessThan(70);
  });

  it('are dense where the end of a stop or a detach is likely', () => {
    expect(nextLookMs('power-off', 12_000)).toBeLessThanOrEqual(50);
    expect(nextLookMs('detach', 2_000)).toBeLessThanOrEqual(50);
  });

  it('expect a guest that is not cut off to take its time', () => {
    expect(waitAfter('skip')).toBe('power-off');
    expect(waitAfter('force')).toBe('shutdown');
    expect(waitAfter(undefined)).toBe('shutdown');
  });
});
