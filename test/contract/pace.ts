import { expect, it } from 'vitest';
import { bucketOf } from '../../src/domain/pace.ts';
import type { Pace } from '../../src/ports/pace.ts';
import { t } from './ledger-samples.ts';

/** One bucket per API, shared by all executions. `make` answers an unused one, of which 70 % are ours. */
export const paceContract = (make: () => Pace): void => {
  const { tokenMs, fullMs } = bucketOf('DetachVolume', 70);

  it('gives a turn at once while the bucket holds enough', async () => {
    const pace = make();
    expect(await pace.draw('DetachVolume', 4, t(100))).toBeLessThanOrEqual(t(100));
    expect(await pace.draw('DetachVolume', 4, t(100))).toBeLessThanOrEqual(t(100));
  });

  it('hands out later turns in the order of the draws once it is empty', async () => {
    const pace = make();
    const most = Math.floor(fullMs / tokenMs);
    const [first, second, third] = [
      await pace.draw('DetachVolume', most, t(100)),
      await pace.draw('DetachVolume', 4, t(100)),
      await pace.draw('DetachVolume', 4, t(101)),
    ];
    expect(first).toBeLessThanOrEqual(t(100));
    expect(second).toBeGreaterThan(t(100));
    expect(second - first).toBe(4 * tokenMs);
    expect(third - second).toBe(4 * tokenMs);
  });

  it('gives twenty that draw at the same moment turns of their own', async () => {
    const pace = make();
    const turns = await Promise.all(
      Array.from({ length: 20 }, () => pace.draw('DetachVolume', 4, t(100))),
    );
    const sorted = turns.toSorted((a, b) => a - b);
    expect(new Set(turns).size).toBe(20);
    for (const [index, turn] of sorted.entries()) {
      expect(turn - (sorted[0] ?? 0)).toBe(index * 4 * tokenMs);
    }
  });

  it('fills again, and never holds more than it can', async () => {
    const pace = make();
    const first = await pace.draw('DetachVolume', 40, t(100));
    expect(first).toBeGreaterThan(t(100));
    const afterAnHour = await pace.draw('DetachVolume', 1, t(3_700));
    expect(afterAnHour).toBe(t(3_700) - fullMs + tokenMs);
  });

  it('begins anew where a wrong clock has drawn far ahead', async () => {
    const pace = make();
    await pace.draw('DetachVolume', 4, t(100_000));
    expect(await pace.draw('DetachVolume', 4, t(100))).toBe(t(100) - fullMs + 4 * tokenMs);
  });

  it('keeps those who begin within their part, and what they do not draw for the others', async () => {
    const pace = make();
    const early = await pace.drawEarly('DescribeInstances', 60, t(100));
    expect(early).toBeGreaterThan(t(100));
    expect(await pace.draw('DescribeInstances', 60, t(100))).toBeLessThanOrEqual(t(100));
  });

  it('tells the last turn without drawing one', async () => {
    const pace = make();
    expect(await pace.lastTurn('DetachVolume')).toBeUndefined();
    const last = await pace.draw('DetachVolume', 100, t(100));
    await pace.drawEarly('DetachVolume', 300, t(100));
    expect(await pace.lastTurn('DetachVolume')).toBe(last);
    expect(await pace.lastTurn('DetachVolume')).toBe(last);
    expect(await pace.lastTurn('StopInstances')).toBeUndefined();
  });

  it('keeps a bucket for each API', async () => {
    const pace = make();
    await pace.draw('DetachVolume', 500, t(100));
    expect(await pace.draw('StopInstances', 1, t(100))).toBeLessThanOrEqual(t(100));
  });
};
