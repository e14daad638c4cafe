import { expect, it } from 'vitest';
import { type IncidentId, incidentIdOf, type VolumeId } from '../../src/domain/ids.ts';
import type { Ownership } from '../../src/domain/ownership.ts';
import type { OwnershipLedger } from '../../src/ports/ledger.ts';
import { cluster, newInstanceId, newVolumeId, proofReads, t } from './ledger-samples.ts';

export type Claim = Ownership & { readonly incidentId: IncidentId; readonly token: number };

/** A claim by an incident of its own. */
export const claimOf = (volumeId: VolumeId, epoch: number, token = 1): Claim => {
  const from = newInstanceId();
  const incidentId = incidentIdOf(cluster, from, 1);
  return { volumeId, name: 'mysql', state: 'claimed', epoch, incidentId, token, from };
};

const releasedFrom = (claim: Claim): Claim => ({
  ...claim,
  state: 'released',
  releasedAt: t(20),
  proof: proofReads,
  strength: 'strong',
  says: 'detached by us',
});

const ownedAfter = (claim: Claim): Claim => ({
  ...releasedFrom(claim),
  state: 'owned',
  owner: newInstanceId(),
});

/** Who may hand a volume on: one claimer per epoch, and epochs only rise. */
export const ownershipContract = (get: () => OwnershipLedger): void => {
  const claimed = async (epochs = 1): Promise<Claim> => {
    const volumeId = newVolumeId();
    let current: Claim | undefined;
    for (let epoch = 1; epoch <= epochs; epoch += 1) {
      if (current !== undefined) {
        const owned: Claim = ownedAfter(current);
        await get().advance(owned, t(30));
        current = owned;
      }
      const next = claimOf(volumeId, epoch);
      expect(await get().claim(current, next, t(1))).toBe('claimed');
      current = next;
    }
    if (current === undefined) throw new Error('no epoch was asked for');
    return current;
  };

  const adoptionOf = (volumeId: VolumeId) =>
    ({ volumeId, name: 'mysql', state: 'owned', epoch: 0, owner: newInstanceId() }) as const;

  it('records the owner of an adopted volume as epoch 0, however often it is told', async () => {
    const first = adoptionOf(newVolumeId());
    expect(await get().adopt(first, t(0))).toBe('recorded');
    expect(await get().adopt({ ...first }, t(1))).toBe('recorded');
    expect(await get().ownership(first.volumeId)).toEqual(first);
  });

  it('adopts nothing that has a record: an epoch never goes back to 0', async () => {
    const claim = await claimed();
    expect(await get().adopt(adoptionOf(claim.volumeId), t(9))).toBe('known');
    expect(await get().ownership(claim.volumeId)).toEqual(claim);
  });

  it('grants the first epoch of an adopted volume, and remembers the adoption', async () => {
    const first = adoptionOf(newVolumeId());
    await get().adopt(first, t(0));
    const claim = claimOf(first.volumeId, 1);
    expect(await get().claim(undefined, claim, t(1))).toBe('lost');
    expect(await get().claim(first, claim, t(1))).toBe('claimed');
    expect(await get().history(first.volumeId)).toEqual([first]);
  });

  it('grants the first claim of a volume nobody has claimed', async () => {
    const claim = claimOf(newVolumeId(), 1);
    expect(await get().ownership(claim.volumeId)).toBeUndefined();
    expect(await get().claim(undefined, claim, t(1))).toBe('claimed');
    expect(await get().ownership(claim.volumeId)).toEqual(claim);
  });

  it('grants an epoch to one of five who claim at once', async () => {
    const volumeId = newVolumeId();
    const claims = Array.from({ length: 5 }, () => claimOf(volumeId, 1));
    const answers = await Promise.all(claims.map((claim) => get().claim(undefined, claim, t(1))));
    expect(answers.filter((answer) => answer === 'claimed')).toHaveLength(1);
    const winner = claims[answers.indexOf('claimed')];
    expect(await get().ownership(volumeId)).toEqual(winner);
  });

  it('grants the same claim again, because its answer may have been lost', async () => {
    const claim = await claimed();
    expect(await get().claim(undefined, { ...claim }, t(2))).toBe('claimed');
    expect(await get().claim(undefined, { ...claim, token: 2 }, t(2))).toBe('lost');
    expect(await get().ownership(claim.volumeId)).toEqual(claim);
  });

  it('refuses a claim that saw another state, epoch or incident', async () => {
    const claim = await claimed(2);
    const rival = claimOf(claim.volumeId, 3);
    for (const seen of [
      undefined,
      { ...claim, state: 'released' as const },
      { ...claim, epoch: 1 },
      { ...claim, incidentId: rival.incidentId },
    ]) {
      expect(await get().claim(seen, rival, t(2))).toBe('lost');
    }
    expect(await get().ownership(claim.volumeId)).toEqual(claim);
  });

  it('refuses to lower or repeat an epoch', async () => {
    const claim = await claimed(2);
    await expect(get().claim(claim, claimOf(claim.volumeId, 2), t(2))).rejects.toThrow(RangeError);
    await expect(get().claim(claim, claimOf(claim.volumeId, 1), t(2))).rejects.toThrow(RangeError);
    await expect(get().claim(undefined, claimOf(newVolumeId(), 0), t(2))).rejects.toThrow(
      RangeError,
    );
  });

  it('keeps every superseded epoch as it was in the end', async () => {
    const { volumeId } = await claimed(4);
    const history = await get().history(volumeId);
    expect(history.map(({ epoch, state }) => ({ epoch, state }))).toEqual([
      { epoch: 1, state: 'owned' },
      { epoch: 2, state: 'owned' },
      { epoch: 3, state: 'owned' },
    ]);
    expect(history[0]).toMatchObject({ proof: proofReads, strength: 'strong' });
    expect(await get().history(newVolumeId())).toEqual([]);
  });

  it('does not let a late rival change history', async () => {
    const claim = await claimed();
    const owned = ownedAfter(claim);
    await get().advance(owned, t(2));
    await get().claim(owned, claimOf(claim.volumeId, 2), t(3));
    expect(await get().claim(claim, claimOf(claim.volumeId, 2), t(4))).toBe('lost');
    expect(await get().history(claim.volumeId)).toEqual([owned]);
  });

  it('moves a claimed volume on, and drops what the new record leaves out', async () => {
    const claim = await claimed();
    const released = releasedFrom(claim);
    expect(await get().advance(released, t(20))).toBe('saved');
    expect(await get().ownership(claim.volumeId)).toEqual(released);
    const held = { ...claim, state: 'held' } as const;
    expect(await get().advance(held, t(21))).toBe('saved');
    expect(await get().ownership(claim.volumeId)).toEqual(held);
  });

  it('does not move a volume on for another incident or epoch', async () => {
    const claim = await claimed(2);
    const { incidentId } = claimOf(claim.volumeId, 1);
    const strangers = [
      { ...releasedFrom(claim), incidentId },
      { ...releasedFrom(claim), epoch: 1 },
      { ...releasedFrom(claim), epoch: 3 },
      releasedFrom(claimOf(newVolumeId(), 1)),
    ];
    for (const stranger of strangers) expect(await get().advance(stranger, t(9))).toBe('lost');
    expect(await get().ownership(claim.volumeId)).toEqual(claim);
  });

  it('does not move a volume on for an execution that was taken over', async () => {
    const claim = await claimed();
    const released = { ...releasedFrom(claim), token: 2 };
    await get().advance(released, t(9));
    const stale = { ...claim, state: 'held', token: 1 } as const;
    expect(await get().advance(stale, t(10))).toBe('lost');
    expect(await get().ownership(claim.volumeId)).toEqual(released);
  });

  it('does not take a volume from its new owner, but lets that be recorded again', async () => {
    const claim = await claimed();
    const owned = ownedAfter(claim);
    await get().advance(owned, t(9));
    expect(await get().advance({ ...owned }, t(10))).toBe('saved');
    for (const late of [claim, releasedFrom(claim), ownedAfter(claim)]) {
      expect(await get().advance(late, t(11))).toBe('lost');
    }
    expect(await get().ownership(claim.volumeId)).toEqual(owned);
  });
};
