import { expect, it } from 'vitest';
import type { DriftLedger, OwnershipLedger } from '../../src/ports/ledger.ts';
import { claimOf } from './ledger-ownership.ts';
import { newInstanceId, newVolumeId, t } from './ledger-samples.ts';

/** A record follows what DC/OS has done by itself, unless anything else was written meanwhile. */
export const driftContract = (
  get: () => { readonly ownership: OwnershipLedger; readonly drift: DriftLedger },
): void => {
  const adopted = async () => {
    const first = {
      volumeId: newVolumeId(),
      name: 'mysql',
      state: 'owned',
      epoch: 0,
      owner: newInstanceId(),
    } as const;
    await get().ownership.adopt(first, t(0));
    return first;
  };

  it('puts an adopted volume on record as its new holder’s, under the epoch it has', async () => {
    const first = await adopted();
    const owner = newInstanceId();
    expect(await get().drift.follow(first, owner, t(1))).toBe('saved');
    expect(await get().ownership.ownership(first.volumeId)).toEqual({ ...first, owner });
  });

  it('gives a released volume its owner, and keeps all the release says', async () => {
    const claim = claimOf(newVolumeId(), 1);
    await get().ownership.claim(undefined, claim, t(0));
    const released = { ...claim, state: 'released', releasedAt: t(5) } as const;
    await get().ownership.advance(released, t(5));
    const owner = newInstanceId();
    expect(await get().drift.follow(released, owner, t(9))).toBe('saved');
    const owned = { ...released, state: 'owned', owner };
    expect(await get().ownership.ownership(claim.volumeId)).toEqual(owned);
  });

  it('gives way to whoever wrote since it was read', async () => {
    const first = await adopted();
    const claim = claimOf(first.volumeId, 1);
    await get().ownership.claim(first, claim, t(1));
    expect(await get().drift.follow(first, newInstanceId(), t(2))).toBe('lost');
    expect(await get().ownership.ownership(first.volumeId)).toEqual(claim);
    expect(await get().ownership.history(first.volumeId)).toEqual([first]);
  });

  it('gives way to another that followed, and to nothing at all', async () => {
    const first = await adopted();
    const owner = newInstanceId();
    await get().drift.follow(first, owner, t(1));
    expect(await get().drift.follow(first, newInstanceId(), t(2))).toBe('lost');
    expect((await get().ownership.ownership(first.volumeId))?.owner).toBe(owner);
    const unknown = { ...first, volumeId: newVolumeId() };
    expect(await get().drift.follow(unknown, owner, t(3))).toBe('lost');
  });
};
