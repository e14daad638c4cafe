import { expect, it } from 'vitest';
import type { TellingLedger } from '../../src/ports/telling.ts';
import { unknownId } from './ledger-incidents.ts';
import { t } from './ledger-samples.ts';

/** Each thing is told by one at a time, and once. */
export const tellingContract = (get: () => TellingLedger): void => {
  it('lets one tell at a time, and the next one when the claim is over', async () => {
    const telling = get();
    const id = unknownId();
    expect(await telling.claimTelling(id, 'message', t(0), t(45))).toBe('claimed');
    expect(await telling.claimTelling(id, 'message', t(44), t(90))).toBe('busy');
    expect(await telling.claimTelling(id, 'alert', t(44), t(90))).toBe('claimed');
    expect(await telling.claimTelling(id, 'message', t(45), t(90))).toBe('claimed');
  });

  it('gives a claim that was given up to whoever comes next', async () => {
    const telling = get();
    const id = unknownId();
    await telling.claimTelling(id, 'message', t(0), t(45));
    await telling.giveUpTelling(id, 'message');
    expect(await telling.claimTelling(id, 'message', t(1), t(45))).toBe('claimed');
  });

  it('never lets anybody tell again what was told', async () => {
    const telling = get();
    const id = unknownId();
    await telling.claimTelling(id, 'alert', t(0), t(45));
    await telling.recordTold(id, 'alert', t(1));
    await telling.giveUpTelling(id, 'alert');
    expect(await telling.claimTelling(id, 'alert', t(900), t(945))).toBe('told');
  });

  it('knows what was told, until its cause has gone', async () => {
    const telling = get();
    const id = unknownId();
    await telling.claimTelling(id, 'alert held', t(0), t(45));
    await telling.claimTelling(id, 'alert recovered', t(0), t(45));
    await telling.recordTold(id, 'alert held', t(1));
    expect(await telling.told(id)).toEqual(['alert held']);
    await telling.forgetTold(id, 'alert held');
    await telling.forgetTold(id, 'alert recovered');
    expect(await telling.told(id)).toEqual([]);
    expect(await telling.claimTelling(id, 'alert held', t(2), t(45))).toBe('claimed');
    expect(await telling.claimTelling(id, 'alert recovered', t(2), t(45))).toBe('busy');
  });

  it('keeps the latest time until which nothing is to be heard', async () => {
    const telling = get();
    expect(await telling.quietUntil('loud')).toBeUndefined();
    await telling.keepQuiet('hushed', t(30));
    await telling.keepQuiet('hushed', t(10));
    expect(await telling.quietUntil('hushed')).toBe(t(30));
    await telling.keepQuiet('hushed', t(60));
    expect(await telling.quietUntil('hushed')).toBe(t(60));
  });
};
