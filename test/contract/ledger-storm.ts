import { expect, it } from 'vitest';
import type { IncidentId } from '../../src/domain/ids.ts';
import { type Admission, calm, type Waiting } from '../../src/domain/storm.ts';
import type { StormLedger } from '../../src/ports/ledger.ts';
import { unknownId } from './ledger-incidents.ts';
import { newInstanceId, t } from './ledger-samples.ts';

let clusters = 0;
/** No two tests share a record. */
const newCluster = (): string => {
  clusters += 1;
  return `stormy-${clusters}`;
};
const place = () => ({
  instanceId: newInstanceId(),
  zone: 'us-east-1a',
  group: 'workers',
  cause: 'Impaired system',
});
const admission = (incidentId: IncidentId): Admission => ({ ...place(), incidentId, at: t(5) });
const waits = (seconds = 0): Waiting => ({
  ...place(),
  behind: 'storm',
  priority: 7,
  since: t(seconds),
});

/** One record, shared by all executions: nobody takes a place that another has just taken. */
export const stormContract = (get: () => StormLedger): void => {
  it('is calm until somebody is let through or waits', async () => {
    expect(await get().storm(newCluster())).toEqual(calm);
  });

  it('lets one of five through who decided on the same record', async () => {
    const [ledger, cluster] = [get(), newCluster()];
    for (const round of [0, 1]) {
      const seen = await ledger.storm(cluster);
      const all = await Promise.all(
        [1, 2, 3, 4, 5].map(() => {
          const id = unknownId();
          return ledger.letThrough(cluster, seen, id, [...seen.admitted, admission(id)]);
        }),
      );
      expect(all.filter((answer) => answer === 'recorded')).toHaveLength(1);
      const { admitted, version } = await ledger.storm(cluster);
      expect([admitted.length, version]).toEqual([round + 1, round + 1]);
    }
  });

  it('keeps everybody of ten who begin to wait at once, and one of them began it', async () => {
    const [ledger, cluster] = [get(), newCluster()];
    const ids = Array.from({ length: 10 }, unknownId);
    await Promise.all(ids.map((id, i) => ledger.joinStorm(cluster, id, waits(i))));
    const storm = await ledger.storm(cluster);
    expect(Object.keys(storm.waiting).sort()).toEqual([...ids].sort());
    expect(storm).toMatchObject({ joined: 10, version: 0 });
    expect(ids).toContain(storm.first);
    expect(storm.waiting[storm.first as IncidentId]?.since).toBe(storm.began);
  });

  it('counts who waits once, and keeps since when', async () => {
    const [ledger, cluster, id] = [get(), newCluster(), unknownId()];
    const first = waits(1);
    await ledger.joinStorm(cluster, id, first);
    await ledger.joinStorm(cluster, id, waits(9));
    expect(await ledger.storm(cluster)).toMatchObject({ joined: 1, waiting: { [id]: first } });
  });

  it('takes whoever is let through off those that wait, and nobody else', async () => {
    const [ledger, cluster] = [get(), newCluster()];
    const [one, two] = [unknownId(), unknownId()];
    await ledger.joinStorm(cluster, one, waits());
    const seen = await ledger.storm(cluster);
    // Joined after the record was read: no reason to lose the place, nor to forget who joined.
    await ledger.joinStorm(cluster, two, waits(1));
    expect(await ledger.letThrough(cluster, seen, one, [admission(one)])).toBe('recorded');
    const storm = await ledger.storm(cluster);
    expect(Object.keys(storm.waiting)).toEqual([two]);
    expect(storm).not.toHaveProperty('ended');
  });

  it('ends when the last one leaves, and the next one begins another storm', async () => {
    const [ledger, cluster] = [get(), newCluster()];
    const [one, two, three] = [unknownId(), unknownId(), unknownId()];
    for (const id of [one, two]) await ledger.joinStorm(cluster, id, waits(1));
    await ledger.leaveStorm(cluster, [one], t(20));
    expect(await ledger.storm(cluster)).not.toHaveProperty('ended');
    await ledger.leaveStorm(cluster, [two, unknownId()], t(30));
    await ledger.leaveStorm(cluster, [two], t(40));
    expect(await ledger.storm(cluster)).toMatchObject({ began: t(1), ended: t(30), waiting: {} });
    await ledger.joinStorm(cluster, three, waits(50));
    const next = await ledger.storm(cluster);
    expect(next).toMatchObject({ began: t(50), first: three, joined: 1 });
    expect(next).not.toHaveProperty('ended');
  });

  it('ends with the last one that is let through', async () => {
    const [ledger, cluster, id] = [get(), newCluster(), unknownId()];
    await ledger.joinStorm(cluster, id, waits());
    await ledger.letThrough(cluster, await ledger.storm(cluster), id, [admission(id)]);
    expect(await ledger.storm(cluster)).toMatchObject({ ended: t(5), version: 1 });
  });

  it('ends when told that nobody waits, after a crash between the two writes of leaving', async () => {
    const [ledger, cluster] = [get(), newCluster()];
    await ledger.leaveStorm(cluster, [], t(1));
    expect(await ledger.storm(cluster)).toEqual(calm);
    await ledger.joinStorm(cluster, unknownId(), waits());
    await ledger.leaveStorm(cluster, [], t(1));
    expect(await ledger.storm(cluster)).not.toHaveProperty('ended');
  });
};
