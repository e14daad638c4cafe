import { expect, it } from 'vitest';
import { CorruptRecordError, TokenLostError } from '../../src/domain/errors.ts';
import type { IncidentLedger } from '../../src/ports/ledger.ts';
import { closedOn, openedOn } from './ledger-incidents.ts';
import {
  cluster,
  detachCall,
  everyFacet,
  newVolumeId,
  signalOf,
  stopCall,
  t,
} from './ledger-samples.ts';

type Get = () => IncidentLedger;

/** What an incident remembers. */
export const facetContract = (get: Get): void => {
  it('reads back every facet as it was saved', async () => {
    const incidents = get();
    const { id, instanceId, ...rest } = await openedOn(get());
    const patch = everyFacet(instanceId, newVolumeId());
    const saved = await incidents.save(id, 1, patch, t(50));
    expect(saved).toEqual({ ...rest, id, instanceId, ...patch, updatedAt: t(50) });
    expect(await incidents.incident(id)).toEqual(saved);
  });

  it('replaces the facets of the patch and keeps the others', async () => {
    const incidents = get();
    const { id, instanceId } = await openedOn(get());
    const before = await incidents.save(id, 1, everyFacet(instanceId, newVolumeId()), t(1));
    const verdict = { kind: 'Recovered', at: t(2), why: ['checks pass'], whyNot: [] } as const;
    expect(await incidents.save(id, 1, { verdict }, t(2))).toEqual({
      ...before,
      verdict,
      updatedAt: t(2),
    });
  });

  it('ends a hold with null', async () => {
    const incidents = get();
    const { id, instanceId } = await openedOn(get());
    await incidents.save(id, 1, everyFacet(instanceId, newVolumeId()), t(1));
    const resumed = await incidents.save(id, 1, { status: 'open', hold: null }, t(2));
    expect(resumed).not.toHaveProperty('hold');
    expect(resumed).toMatchObject({ status: 'open', acknowledged: ['weak-fence'] });
  });

  it('saves nothing under a stale token', async () => {
    const incidents = get();
    const { id } = await openedOn(get());
    const taken = await incidents.takeOver(id, 1, t(1));
    await expect(incidents.save(id, 1, { status: 'held' }, t(2))).rejects.toThrow(TokenLostError);
    await expect(incidents.save(id, 3, { status: 'held' }, t(2))).rejects.toThrow(TokenLostError);
    expect(await incidents.incident(id)).toEqual(taken);
  });

  it('saves nothing to an incident that is over', async () => {
    const over = await closedOn(get());
    const late = get().save(over.id, over.token, { status: 'open' }, t(99));
    await expect(late).rejects.toThrow(TokenLostError);
    expect(await get().incident(over.id)).toEqual(over);
  });
};

/** Written down before, completed after, never changed. */
export const auditContract = (get: Get): void => {
  const actor = 'fence-agent';

  it('writes down every call before it is made, with the patch, and its outcome after', async () => {
    const incidents = get();
    const { id, instanceId } = await openedOn(get());
    const calls = [stopCall(instanceId), detachCall(newVolumeId())];
    const intended = await incidents.intend(id, 1, actor, calls, t(2), { status: 'held' });
    expect(intended).toEqual(
      calls.map((call, i) => ({ ...call, seq: i + 1, token: 1, actor, intendedAt: t(2) })),
    );
    expect(await incidents.incident(id)).toMatchObject({ seq: 2, status: 'held', updatedAt: t(2) });

    const accepted = { kind: 'accepted', at: t(3), requestId: 'r-1' } as const;
    const unknown = { kind: 'unknown', at: t(4), error: 'ECONNRESET' } as const;
    await incidents.conclude(id, 1, accepted);
    await incidents.conclude(id, 2, unknown);
    expect(await incidents.audit(id)).toEqual([
      { ...intended[0], outcome: accepted },
      { ...intended[1], outcome: unknown },
    ]);
  });

  it('gives no number twice to calls intended at once', async () => {
    const incidents = get();
    const { id, instanceId } = await openedOn(get());
    const pair = [stopCall(instanceId), stopCall(instanceId)];
    await Promise.all(Array.from({ length: 6 }, () => incidents.intend(id, 1, actor, pair, t(1))));
    const numbers = (await incidents.audit(id)).map(({ seq }) => seq);
    expect(numbers).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
  });

  it('intends nothing under a stale token', async () => {
    const incidents = get();
    const { id, instanceId } = await openedOn(get());
    const taken = await incidents.takeOver(id, 1, t(1));
    const stale = incidents.intend(id, 1, actor, [stopCall(instanceId)], t(2), { status: 'held' });
    await expect(stale).rejects.toThrow(TokenLostError);
    expect(await incidents.audit(id)).toEqual([]);
    expect(await incidents.incident(id)).toEqual(taken);
  });

  it('concludes a call once: the same outcome again is fine, another is refused', async () => {
    const incidents = get();
    const { id, instanceId } = await openedOn(get());
    await incidents.intend(id, 1, actor, [stopCall(instanceId)], t(1));
    const refused = { kind: 'refused', at: t(2), error: 'OperationNotPermitted' } as const;
    await incidents.conclude(id, 1, refused);
    await incidents.conclude(id, 1, { ...refused });
    const other = incidents.conclude(id, 1, { kind: 'accepted', at: t(3) });
    await expect(other).rejects.toThrow(CorruptRecordError);
    expect((await incidents.audit(id))[0]?.outcome).toEqual(refused);
  });

  it('does not conclude a call that was never intended', async () => {
    const { id } = await openedOn(get());
    const outcome = { kind: 'accepted', at: t(2) } as const;
    await expect(get().conclude(id, 1, outcome)).rejects.toThrow(CorruptRecordError);
    expect(await get().audit(id)).toEqual([]);
  });

  it('concludes a call even after the token moved on: the outcome is still true', async () => {
    const incidents = get();
    const { id, instanceId } = await openedOn(get());
    await incidents.intend(id, 1, actor, [stopCall(instanceId)], t(1));
    await incidents.takeOver(id, 1, t(2));
    await incidents.conclude(id, 1, { kind: 'accepted', at: t(3) });
    expect((await incidents.audit(id))[0]?.outcome).toEqual({ kind: 'accepted', at: t(3) });
  });
};

/** How an incident ends and lets the next one in. */
export const closingContract = (get: Get): void => {
  it('ends an incident with its last facets and the time', async () => {
    const incidents = get();
    const { id } = await openedOn(get());
    const patch = { status: 'cancelled', acknowledged: ['paused'] } as const;
    const over = await incidents.close(id, 1, patch, t(9));
    expect(over).toMatchObject({ ...patch, closedAt: t(9), updatedAt: t(9) });
    expect(await incidents.incident(id)).toEqual(over);
  });

  it('lets the first end stand when it is closed twice', async () => {
    const over = await closedOn(get());
    const again = await get().close(over.id, 1, { status: 'cancelled' }, t(99));
    expect(again).toEqual(over);
    expect(await get().incident(over.id)).toEqual(over);
  });

  it('leaves the next incident alone when the last one is closed again', async () => {
    const incidents = get();
    const over = await closedOn(get());
    const { incident } = await incidents.admit(cluster, signalOf(over.instanceId, 'event-2'));
    await incidents.close(over.id, over.token, { status: 'recovered' }, t(99));
    expect(await incidents.openIncidentOf(over.instanceId)).toEqual(incident);
    expect(await incidents.openIncidents(cluster)).toContain(incident.id);
  });

  it('does not close under a stale token, open or over', async () => {
    const incidents = get();
    const { id } = await openedOn(get());
    await incidents.takeOver(id, 1, t(1));
    const stale = () => incidents.close(id, 1, { status: 'cancelled' }, t(2));
    await expect(stale()).rejects.toThrow(TokenLostError);
    expect((await incidents.incident(id))?.status).toBe('open');
    await incidents.close(id, 2, { status: 'recovered' }, t(3));
    await expect(stale()).rejects.toThrow(TokenLostError);
  });
};
