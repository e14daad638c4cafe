import { expect, it } from 'vitest';
import { signalsMax } from '../../src/adapters/dynamodb/records.ts';
import { CorruptRecordError, IncidentNotFoundError } from '../../src/domain/errors.ts';
import { type IncidentId, incidentIdOf } from '../../src/domain/ids.ts';
import type { Incident } from '../../src/domain/incident.ts';
import type { IncidentLedger } from '../../src/ports/ledger.ts';
import { cluster, newInstanceId, signalOf, t } from './ledger-samples.ts';

type Get = () => IncidentLedger;

/** An incident just opened, of an instance that no other test knows. */
export const openedOn = async (ledger: IncidentLedger): Promise<Incident> =>
  (await ledger.admit(cluster, signalOf(newInstanceId()))).incident;

/** An incident that recovered. */
export const closedOn = async (ledger: IncidentLedger): Promise<Incident> => {
  const { id, token } = await openedOn(ledger);
  return ledger.close(id, token, { status: 'recovered' }, t(60));
};

export const unknownId = (): IncidentId => incidentIdOf(cluster, newInstanceId(), 7);

/** How signals become incidents: one at a time per instance. */
export const admissionContract = (get: Get): void => {
  it('opens the first incident with token 1 and a name to start it under', async () => {
    const instanceId = newInstanceId();
    const { kind, incident } = await get().admit(cluster, signalOf(instanceId));
    expect(kind).toBe('opened');
    expect(incident).toEqual({
      id: `${cluster}#${instanceId}#1`,
      cluster,
      instanceId,
      n: 1,
      status: 'open',
      token: 1,
      seq: 0,
      executionName: `fo-${instanceId}-1-1`,
      openedAt: t(0),
      updatedAt: t(0),
      signals: [signalOf(instanceId)],
    });
    expect(await get().incident(incident.id)).toEqual(incident);
  });

  it('joins the open incident, and adds a signal only once', async () => {
    const incidents = get();
    const { id, instanceId } = await openedOn(get());
    const alarm = signalOf(instanceId, 'alarm', t(5));
    expect(await incidents.admit(cluster, alarm)).toMatchObject({ kind: 'joined', added: true });
    const again = await incidents.admit(cluster, { ...alarm, receivedAt: t(9) });
    expect(again).toMatchObject({ kind: 'joined', added: false, incident: { id } });
    expect(again.incident.signals.map(({ key }) => key)).toEqual(['event-1', 'alarm']);
    expect(again.incident.signals[1]?.receivedAt).toBe(t(5));
  });

  it('orders signals by arrival, whichever was written first', async () => {
    const incidents = get();
    const { instanceId } = await openedOn(get());
    await incidents.admit(cluster, signalOf(instanceId, 'late', t(9)));
    const { incident } = await incidents.admit(cluster, signalOf(instanceId, 'early', t(3)));
    expect(incident.signals.map(({ key }) => key)).toEqual(['event-1', 'early', 'late']);
  });

  it('opens one incident for ten signals at once, and keeps every signal', async () => {
    const instanceId = newInstanceId();
    const keys = Array.from({ length: 10 }, (_, i) => `event-${i}`);
    const answers = await Promise.all(
      keys.map((key) => get().admit(cluster, signalOf(instanceId, key))),
    );
    expect(answers.filter(({ kind }) => kind === 'opened')).toHaveLength(1);
    const incident = await get().openIncidentOf(instanceId);
    expect(incident?.signals.map(({ key }) => key)).toEqual(keys);
  });

  it('keeps one copy of a signal delivered ten times at once', async () => {
    const instanceId = newInstanceId();
    const deliveries = Array.from({ length: 10 }, () => signalOf(instanceId));
    await Promise.all(deliveries.map((signal) => get().admit(cluster, signal)));
    expect((await get().openIncidentOf(instanceId))?.signals).toHaveLength(1);
  });

  it('drops the newest signals of an incident that has many', async () => {
    const incidents = get();
    const { instanceId } = await openedOn(get());
    for (let i = 2; i <= signalsMax; i += 1) {
      const signal = signalOf(instanceId, `event-${i}`, t(i));
      expect(await incidents.admit(cluster, signal)).toMatchObject({ added: true });
    }
    const more = await incidents.admit(cluster, signalOf(instanceId, 'one-more', t(99)));
    expect(more).toMatchObject({ kind: 'joined', added: false });
    expect(more.incident.signals).toHaveLength(signalsMax);
    expect(more.incident.signals.at(-1)?.key).toBe(`event-${signalsMax}`);
  });

  it('opens the next incident after the last one is over, and keeps the last one', async () => {
    const over = await closedOn(get());
    const next = await get().admit(cluster, signalOf(over.instanceId, 'event-2'));
    expect(next).toMatchObject({ kind: 'opened', incident: { n: 2, token: 1 } });
    expect(next.incident.executionName).toBe(`fo-${over.instanceId}-2-1`);
    expect(await get().incident(over.id)).toEqual(over);
  });

  it('lists what is over until nothing is left to tell of it', async () => {
    const incidents = get();
    const own = `cluster-${newInstanceId()}`;
    const { incident } = await incidents.admit(own, signalOf(newInstanceId()));
    await incidents.close(incident.id, 1, { status: 'recovered' }, t(9));
    expect(await incidents.openIncidents(own)).toEqual([incident.id]);
    await incidents.unlist(own, incident.id);
    await incidents.unlist(own, incident.id);
    expect(await incidents.openIncidents(own)).toEqual([]);
  });

  it('refuses a signal of another cluster while the incident is open', async () => {
    const { instanceId } = await openedOn(get());
    const foreign = get().admit('another', signalOf(instanceId, 'event-2'));
    await expect(foreign).rejects.toThrow(CorruptRecordError);
  });

  it('knows the open incident of an instance and those of a cluster', async () => {
    const incidents = get();
    const own = `cluster-${newInstanceId()}`;
    const first = await incidents.admit(own, signalOf(newInstanceId()));
    const second = await incidents.admit(own, signalOf(newInstanceId()));
    const over = await incidents.admit(own, signalOf(newInstanceId()));
    await incidents.close(over.incident.id, 1, { status: 'cancelled' }, t(9));
    await incidents.unlist(own, over.incident.id);

    expect(await incidents.openIncidents(own)).toEqual([first.incident.id, second.incident.id]);
    expect(await incidents.openIncidentOf(first.incident.instanceId)).toEqual(first.incident);
    expect(await incidents.openIncidentOf(over.incident.instanceId)).toBeUndefined();
    expect(await incidents.openIncidentOf(newInstanceId())).toBeUndefined();
    expect(await incidents.incident(unknownId())).toBeUndefined();
  });

  it('knows the last incident of an instance, over or not', async () => {
    const incidents = get();
    const over = await closedOn(incidents);
    expect(await incidents.lastIncidentOf(cluster, over.instanceId)).toEqual(over);
    const next = await incidents.admit(cluster, signalOf(over.instanceId, 'event-2'));
    expect(await incidents.lastIncidentOf(cluster, over.instanceId)).toEqual(next.incident);
    expect(await incidents.lastIncidentOf(cluster, newInstanceId())).toBeUndefined();
  });
};

/** Who acts for an incident: one execution at a time. */
/** A dry run has a record and nothing else. */
export const rehearsalContract = (get: Get): void => {
  it('is behind no gate and on no list, and two of one moment are two', async () => {
    const ledger = get();
    const instanceId = newInstanceId();
    const [one, two] = await Promise.all([
      ledger.rehearse(cluster, signalOf(instanceId), 'a'),
      ledger.rehearse(cluster, signalOf(instanceId), 'b'),
    ]);
    expect(new Set([one.id, two.id]).size).toBe(2);
    expect(one.id).toMatch(/#dry-\d+$/);
    expect(await ledger.incident(one.id)).toEqual(one);
    expect(await ledger.openIncidentOf(instanceId)).toBeUndefined();
    expect(await ledger.lastIncidentOf(cluster, instanceId)).toBeUndefined();
    expect(await ledger.openIncidents(cluster)).not.toContain(one.id);
    const real = await ledger.admit(cluster, signalOf(instanceId));
    expect(real).toMatchObject({ kind: 'opened', incident: { n: 1 } });
    await ledger.close(one.id, 1, { status: 'cancelled' }, t(1));
    expect(await ledger.openIncidentOf(instanceId)).toMatchObject({ id: real.incident.id });
  });
};

export const tokenContract = (get: Get): void => {
  it('raises the token with every take-over, under a new name and without an execution', async () => {
    const incidents = get();
    const { id, instanceId } = await openedOn(get());
    await incidents.bindExecution(id, 1, 'arn:first', t(1));
    const taken = await incidents.takeOver(id, 1, t(2));
    expect(taken).toMatchObject({
      token: 2,
      executionName: `fo-${instanceId}-1-2`,
      updatedAt: t(2),
    });
    expect(taken).not.toHaveProperty('executionArn');
    expect(await incidents.incident(id)).toEqual(taken);
  });

  it('gives the token to one of five who take over at once', async () => {
    const { id } = await openedOn(get());
    const answers = await Promise.all(Array.from({ length: 5 }, () => get().takeOver(id, 1, t(1))));
    expect(answers.filter((answer) => answer !== 'lost')).toHaveLength(1);
    expect((await get().incident(id))?.token).toBe(2);
  });

  it('does not take over from a stale token, nor an incident that is over', async () => {
    const incidents = get();
    const { id } = await openedOn(get());
    await incidents.takeOver(id, 1, t(1));
    expect(await incidents.takeOver(id, 1, t(2))).toBe('lost');
    const over = await closedOn(get());
    expect(await incidents.takeOver(over.id, over.token, t(2))).toBe('lost');
  });

  it('does not take what is held from an execution that has begun to work on it again', async () => {
    const incidents = get();
    const { id } = await openedOn(get());
    await incidents.save(id, 1, { status: 'held' }, t(1));
    await incidents.save(id, 1, { status: 'open' }, t(2));
    expect(await incidents.takeOver(id, 1, t(3), {}, 'held')).toBe('lost');
    await incidents.save(id, 1, { status: 'held' }, t(4));
    expect(await incidents.takeOver(id, 1, t(5), {}, 'held')).toMatchObject({ token: 2 });
  });

  it('binds one execution to a token, however often it says so', async () => {
    const incidents = get();
    const { id } = await openedOn(get());
    expect(await incidents.bindExecution(id, 1, 'arn:a', t(1))).toMatchObject({
      executionArn: 'arn:a',
    });
    expect(await incidents.bindExecution(id, 1, 'arn:a', t(2))).toMatchObject({
      executionArn: 'arn:a',
    });
    expect(await incidents.bindExecution(id, 1, 'arn:b', t(3))).toBe('lost');
    expect(await incidents.incident(id)).toMatchObject({ executionArn: 'arn:a' });
  });

  it('binds nothing to a stale token, nor to an incident that is over', async () => {
    const incidents = get();
    const { id } = await openedOn(get());
    await incidents.takeOver(id, 1, t(1));
    expect(await incidents.bindExecution(id, 1, 'arn:a', t(2))).toBe('lost');
    const over = await closedOn(get());
    expect(await incidents.bindExecution(over.id, over.token, 'arn:a', t(2))).toBe('lost');
  });

  it('says so when there is no such incident', async () => {
    const incidents = get();
    const id = unknownId();
    for (const attempt of [
      incidents.takeOver(id, 1, t(1)),
      incidents.bindExecution(id, 1, 'arn:a', t(1)),
      incidents.save(id, 1, {}, t(1)),
      incidents.intend(id, 1, 'fence-agent', [], t(1)),
      incidents.close(id, 1, { status: 'cancelled' }, t(1)),
    ]) {
      await expect(attempt).rejects.toThrow(IncidentNotFoundError);
    }
  });
};
