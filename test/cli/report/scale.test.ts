import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scaleOf } from '../../../cli/report/scale.ts';

const minute = 60_000;

describe('the scale of a picture', () => {
  it('is even where nothing waited long', () => {
    const { cuts, ticks, x } = scaleOf([0, 10_000, 20_000, 40_000], 0);
    expect(cuts).toEqual([]);
    expect([0, 10_000, 30_000, 40_000].map(x)).toEqual([0, 25, 75, 100]);
    expect(ticks.map(({ at }) => at)).toEqual([0, 10_000, 20_000, 30_000, 40_000]);
  });

  it('cuts a wait that would leave no room for the rest', () => {
    const { cuts, x } = scaleOf([0, 2_000, 4_000, 90 * minute, 90 * minute + 6_000], 0);
    expect(cuts).toHaveLength(1);
    expect(cuts[0]?.ms).toBe(90 * minute - 4_000);
    expect(x(4_000)).toBeGreaterThan(30);
    expect(x(90 * minute) - x(4_000)).toBeCloseTo(cuts[0]?.width ?? 0);
  });

  it('shows waits that follow each other as one', () => {
    const { cuts } = scaleOf([0, 2_000, 4_000, 5 * minute, 12 * minute, 12 * minute + 3_000], 0);
    expect(cuts.map(({ ms }) => ms)).toEqual([12 * minute - 4_000]);
  });

  it('is not cut for the sake of one moment', () => {
    expect(scaleOf([0, 5 * minute, 5 * minute + 8_000], 0).cuts).toEqual([]);
  });

  it('has room for one moment alone', () => {
    expect(scaleOf([7], 7).x(7)).toBe(0);
    expect(scaleOf([], 7).x(7)).toBe(0);
  });

  it('keeps the order of everything, within its width, whatever happened', async () => {
    const moments = fc.array(fc.integer({ min: 0, max: 30 * 24 * 60 * minute }), { minLength: 1 });
    await fc.assert(
      fc.property(moments, fc.integer({ min: 0, max: minute }), (times, origin) => {
        const { cuts, ticks, x } = scaleOf(times, origin);
        const places = [...times].sort((a, b) => a - b).map(x);
        const isSorted = (all: readonly number[]) =>
          all.every((one, i) => i === 0 || one >= (all[i - 1] ?? 0));
        expect(isSorted(places)).toBe(true);
        expect(Math.min(...places)).toBeGreaterThanOrEqual(0);
        expect(Math.max(...places)).toBeLessThanOrEqual(100.001);
        expect(ticks.length).toBeLessThanOrEqual(8);
        expect(isSorted(ticks.map((tick) => tick.x))).toBe(true);
        expect(cuts.length).toBeLessThanOrEqual(4);
      }),
    );
  });
});
