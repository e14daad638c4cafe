import { expect, it } from 'vitest';
import type { AgentId, IncidentId, InstanceId, LaunchTime } from '../../src/domain/ids.ts';
import type { QuarantineLedger } from '../../src/ports/ledger.ts';
import { newInstanceId, quarantineOf, t } from './ledger-samples.ts';

const FENCED = '2026-11-01T08:00:00.000Z';
const LATER = '2026-11-02T08:00:00.000Z' as LaunchTime;

/** Hosts that were fenced: kept until they are un-fenced, or can never be started again. */
export const quarantineContract = (get: () => QuarantineLedger): void => {
  const cluster = 'prod-eu';

  it('keeps a fenced host, as it is told, and knows nothing of others', async () => {
    const fenced = quarantineOf(newInstanceId(), FENCED);
    expect(await get().quarantine(cluster, fenced.instanceId)).toBeUndefined();
    expect(await get().saveQuarantine(cluster, fenced)).toBe('saved');
    expect(await get().saveQuarantine(cluster, { ...fenced })).toBe('saved');
    expect(await get().quarantine(cluster, fenced.instanceId)).toEqual(fenced);
    expect(await get().quarantine('elsewhere', fenced.instanceId)).toBeUndefined();
  });

  it('lists the fenced hosts of one cluster', async () => {
    const ids = ['i-0a', 'i-0b'].map((start) => start + newInstanceId().slice(4)) as InstanceId[];
    const both = ids.map((id) => quarantineOf(id, FENCED));
    for (const one of both) await get().saveQuarantine('listing', one);
    expect(await get().quarantines('listing')).toEqual(both);
    expect(await get().quarantines('nowhere')).toEqual([]);
  });

  it('notes that a return was dealt with', async () => {
    const fenced = quarantineOf(newInstanceId(), FENCED);
    await get().saveQuarantine(cluster, fenced);
    const returned = { launchTime: LATER, at: t(90), agentIds: ['S9' as AgentId] };
    expect(await get().saveQuarantine(cluster, { ...fenced, returned })).toBe('saved');
    expect((await get().quarantine(cluster, fenced.instanceId))?.returned).toEqual(returned);
  });

  it('lets a later fence take its place, and no earlier one', async () => {
    const fenced = quarantineOf(newInstanceId(), FENCED);
    const again = { ...fenced, launchTime: LATER, incidentId: 'prod-eu#x#2' as IncidentId };
    await get().saveQuarantine(cluster, fenced);
    expect(await get().saveQuarantine(cluster, again)).toBe('saved');
    expect(await get().saveQuarantine(cluster, fenced)).toBe('lost');
    expect(await get().quarantine(cluster, fenced.instanceId)).toEqual(again);
  });

  it('does not forget that it is being lifted, except for a later fence', async () => {
    const fenced = quarantineOf(newInstanceId(), FENCED);
    const lifted = { ...fenced, lifted: { by: 'ana', reason: 'repaired', at: t(99) } };
    await get().saveQuarantine(cluster, fenced);
    expect(await get().saveQuarantine(cluster, lifted)).toBe('saved');
    expect(await get().saveQuarantine(cluster, lifted)).toBe('saved');
    expect(await get().saveQuarantine(cluster, fenced)).toBe('lost');
    expect(await get().quarantine(cluster, fenced.instanceId)).toEqual(lifted);
    const again = { ...fenced, launchTime: LATER };
    expect(await get().saveQuarantine(cluster, again)).toBe('saved');
    expect(await get().quarantine(cluster, fenced.instanceId)).toEqual(again);
  });

  it('is ended for the fence it is of, and not for a later one', async () => {
    const fenced = quarantineOf(newInstanceId(), FENCED);
    const again = { ...fenced, launchTime: LATER };
    await get().saveQuarantine(cluster, again);
    await get().endQuarantine(cluster, fenced);
    expect(await get().quarantine(cluster, fenced.instanceId)).toEqual(again);
    await get().endQuarantine(cluster, again);
    await get().endQuarantine(cluster, again);
    expect(await get().quarantine(cluster, fenced.instanceId)).toBeUndefined();
  });
};
