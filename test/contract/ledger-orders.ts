import { expect, it } from 'vitest';
import { CorruptRecordError, TokenLostError } from '../../src/domain/errors.ts';
import type { LaunchTime } from '../../src/domain/ids.ts';
import type { Ledgers } from './ledger.ts';
import { openedOn } from './ledger-incidents.ts';
import { newInstanceId, t } from './ledger-samples.ts';

const who = { by: 'ana', reason: 'game day' };
const order = { at: t(1), action: 'pause', ...who, parameters: { until: t(60) } } as const;

/** What operators say, and what it switches. */
export const orderContract = (get: () => Ledgers): void => {
  it('keeps every order in the order they came, with what became of each', async () => {
    const { orders } = get();
    const of = { cluster: 'ordered' };
    const first = await orders.recordOrder(of, order);
    const same = await orders.recordOrder(of, { ...order, action: 'unpause', parameters: {} });
    await orders.recordOrder(of, { ...order, at: t(2) });
    await orders.concludeOrder(same, { kind: 'unchanged', says: 'it is not paused' });
    await orders.concludeOrder(first, { kind: 'done', says: 'paused' });
    await orders.concludeOrder(first, { kind: 'done', says: 'paused' });
    expect(await orders.orders(of)).toEqual([
      { ...order, outcome: { kind: 'done', says: 'paused' } },
      {
        ...{ ...order, action: 'unpause', parameters: {} },
        outcome: { kind: 'unchanged', says: 'it is not paused' },
      },
      { ...order, at: t(2) },
    ]);
    expect(await orders.orders({ cluster: 'elsewhere' })).toEqual([]);
  });

  it('keeps those about an incident with it, and rewrites no outcome', async () => {
    const { incidents, orders } = get();
    const { id: incidentId } = await openedOn(incidents);
    const hold = { ...order, action: 'hold', parameters: { incidentId } } as const;
    const number = await orders.recordOrder({ incidentId }, hold);
    await orders.concludeOrder(number, { kind: 'done', says: 'held' });
    const again = orders.concludeOrder(number, { kind: 'refused', says: 'no' });
    await expect(again).rejects.toThrow(CorruptRecordError);
    const other = orders.concludeOrder({ ...number, nth: 1 }, { kind: 'done', says: 'held' });
    await expect(other).rejects.toThrow(CorruptRecordError);
    expect(await orders.orders({ incidentId })).toHaveLength(1);
    expect(await incidents.audit(incidentId)).toEqual([]);
  });

  it('switches one thing at a time, on an item that need not exist yet', async () => {
    const ledger = get().cluster;
    const [one, two] = [newInstanceId(), newInstanceId()];
    const begun = { by: 'ben', until: t(60) };
    await ledger.switchControl('switching', { maintenance: { instanceId: one, begun } });
    await ledger.switchControl('switching', { paused: { ...who, until: t(9) } });
    await ledger.switchControl('switching', { maintenance: { instanceId: two, begun } });
    await ledger.switchControl('switching', { stormAcknowledged: begun });
    expect(await ledger.control('switching')).toEqual({
      paused: { ...who, until: t(9) },
      maintenance: { [one]: begun, [two]: begun },
      stormAcknowledged: begun,
    });
    await ledger.switchControl('switching', { maintenance: { instanceId: one, begun: null } });
    await ledger.switchControl('switching', { paused: null });
    expect(await ledger.control('switching')).toEqual({
      maintenance: { [two]: begun },
      stormAcknowledged: begun,
    });
  });

  it('switches off what was never on, and leaves zones as they are', async () => {
    const ledger = get().cluster;
    await ledger.switchControl('calm', { paused: null });
    const instanceId = newInstanceId();
    await ledger.switchControl('calm', { maintenance: { instanceId, begun: null } });
    expect(await ledger.control('calm')).toEqual({ maintenance: {} });
    const shift = { key: 'z', zoneId: 'euc1-az1', away: true, at: t(1), says: 'moved' };
    await ledger.rememberZoneShift('calm', shift);
    await ledger.switchControl('calm', { paused: who });
    expect(await ledger.control('calm')).toMatchObject({
      paused: who,
      shiftedZones: { 'euc1-az1': { since: t(1) } },
    });
  });

  const ask = async () => {
    const { incidents } = get();
    const { id } = await openedOn(incidents);
    const launchTime = '2026-11-01T08:15:30.000Z' as LaunchTime;
    const asked = { id: 'a1', status: 'pending', plan: 'p', says: 'fence it' } as const;
    const approval = { ...asked, launchTime, askedAt: t(1), until: t(60) };
    await incidents.save(id, 1, { approval }, t(1));
    return { approval, id, incidents };
  };
  const decision = { status: 'approved', by: 'ana', reason: 'yes', decidedAt: t(3) } as const;

  it('keeps the task token of who waits, and the first answer, whoever holds the incident', async () => {
    const { approval, id, incidents } = await ask();
    expect(await incidents.awaitAnswer(id, 1, 'a1', 'T1', t(2))).toBe('waits');
    await incidents.takeOver(id, 1, t(2));
    const answered = await incidents.answerApproval(id, 'a1', decision, t(3));
    expect(answered).toMatchObject({ approval: { ...approval, ...decision, taskToken: 'T1' } });
    const late = { ...decision, status: 'denied' } as const;
    expect(await incidents.answerApproval(id, 'a1', late, t(4))).toBe('lost');
    expect(await incidents.awaitAnswer(id, 2, 'a1', 'T2', t(4))).toBe('answered');
    expect(await incidents.incident(id)).toEqual(answered);
  });

  it('takes no answer to what is not asked, nor a task token under a stale token', async () => {
    const { id, incidents } = await ask();
    expect(await incidents.answerApproval(id, 'a2', decision, t(3))).toBe('lost');
    expect(await incidents.awaitAnswer(id, 1, 'a2', 'T1', t(2))).toBe('answered');
    await expect(incidents.awaitAnswer(id, 2, 'a1', 'T1', t(2))).rejects.toThrow(TokenLostError);
    await incidents.close(id, 1, { status: 'cancelled' }, t(4));
    expect(await incidents.answerApproval(id, 'a1', decision, t(5))).toBe('lost');
  });

  it('holds an incident in the write that takes it over, and lets go in the next', async () => {
    const { incidents } = get();
    const { id } = await openedOn(incidents);
    const operatorHold = { ...who, at: t(1) };
    const held = await incidents.takeOver(id, 1, t(1), { operatorHold });
    expect(held).toMatchObject({ token: 2, operatorHold });
    expect(await incidents.incident(id)).toEqual(held);
    expect(await incidents.takeOver(id, 1, t(2), { operatorHold: null })).toBe('lost');
    const free = await incidents.takeOver(id, 2, t(2), { operatorHold: null });
    expect(free).not.toHaveProperty('operatorHold');
    expect(free).toMatchObject({ token: 3 });
  });
};
