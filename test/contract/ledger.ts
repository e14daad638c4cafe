import { describe, expect, it } from 'vitest';
import type { InstanceId } from '../../src/domain/ids.ts';
import type {
  ClusterLedger,
  Control,
  IncidentLedger,
  NotificationLedger,
  OwnershipLedger,
} from '../../src/ports/ledger.ts';
import { admissionContract, tokenContract, unknownId } from './ledger-incidents.ts';
import { ownershipContract } from './ledger-ownership.ts';
import { cluster, inventoryAt, newInstanceId, signalOf, t } from './ledger-samples.ts';
import { auditContract, closingContract, facetContract } from './ledger-work.ts';

export interface Ledgers {
  readonly incidents: IncidentLedger;
  readonly ownership: OwnershipLedger;
  readonly cluster: ClusterLedger;
  readonly notifications: NotificationLedger;
  /** What an operator does by hand. */
  setControl(cluster: string, control: Control): Promise<void>;
}

type Get = () => Ledgers;

const surroundings = (get: Get): void => {
  it('has nothing switched until somebody switches it', async () => {
    expect(await get().cluster.control('quiet')).toEqual({ maintenance: {} });
  });

  it('reads what an operator has switched', async () => {
    const control = {
      paused: { by: 'ana', reason: 'upgrade', until: t(600) },
      maintenance: { [newInstanceId()]: { by: 'ben', until: t(60) } },
    };
    await get().setControl('switched', control);
    expect(await get().cluster.control('switched')).toEqual(control);
  });

  it('keeps the latest inventory of an instance, in whatever order sweeps end', async () => {
    const instanceId = newInstanceId();
    const ledger = get().cluster;
    expect(await ledger.inventory(instanceId)).toBeUndefined();
    const latest = inventoryAt(t(60));
    await ledger.recordInventory(instanceId, inventoryAt(t(0)));
    await ledger.recordInventory(instanceId, latest);
    await ledger.recordInventory(instanceId, inventoryAt(t(30)));
    expect(await ledger.inventory(instanceId)).toEqual(latest);
  });

  it('lists the agents that are watched, once each, until they are not', async () => {
    const [one, two] = ['i-0a', 'i-0b'].map((start) => start + newInstanceId().slice(4)) as [
      InstanceId,
      InstanceId,
    ];
    const ledger = get().cluster;
    expect(await ledger.watched('watching')).toEqual([]);
    for (const instanceId of [two, one, two]) await ledger.watch('watching', instanceId);
    expect(await ledger.watched('watching')).toEqual([one, two]);
    await ledger.unwatch('watching', one);
    await ledger.unwatch('watching', one);
    expect(await ledger.watched('watching')).toEqual([two]);
    expect(await ledger.watched('elsewhere')).toEqual([]);
  });

  it('has one slot for planned moves, until it is freed or its holder is over', async () => {
    const ledger = get().cluster;
    const [one, two, three] = [unknownId(), unknownId(), unknownId()];
    expect(await ledger.takeSlot('moving', one)).toBe(one);
    expect(await ledger.takeSlot('moving', one)).toBe(one);
    expect(await ledger.takeSlot('moving', two)).toBe(one);
    expect(await ledger.takeSlot('elsewhere-moving', two)).toBe(two);
    await ledger.freeSlot('moving', two);
    expect(await ledger.takeSlot('moving', two, three)).toBe(one);
    expect(await ledger.takeSlot('moving', two, one)).toBe(two);
    await ledger.freeSlot('moving', two);
    await ledger.freeSlot('moving', two);
    expect(await ledger.takeSlot('moving', three)).toBe(three);
  });

  it('opens what is announced as a drain, and what joins it changes nothing of that', async () => {
    const { incidents } = get();
    const instanceId = newInstanceId();
    const notice = { kind: 'leaving', action: 'terminate' } as const;
    const { incident } = await incidents.admit(cluster, { ...signalOf(instanceId), notice });
    expect(incident).toMatchObject({ mode: 'drain', signals: [{ notice }] });
    const joined = await incidents.admit(cluster, signalOf(instanceId, 'failed'));
    expect(joined).toMatchObject({ kind: 'joined', incident: { mode: 'drain' } });
    const other = newInstanceId();
    const failed = await incidents.admit(cluster, signalOf(other));
    expect(failed.incident).not.toHaveProperty('mode');
  });

  it('records one message per incident, and the same one as often as it is told', async () => {
    const { notifications } = get();
    const id = unknownId();
    expect(await notifications.message(id)).toBeUndefined();
    expect(await notifications.recordMessage(id, 'C1', '1.1')).toBe('recorded');
    expect(await notifications.recordMessage(id, 'C1', '1.1')).toBe('recorded');
    expect(await notifications.recordMessage(id, 'C1', '2.2')).toBe('lost');
    expect(await notifications.message(id)).toEqual({ channel: 'C1', ts: '1.1' });
  });
};

/** What every ledger must do, whatever it is made of. `get` answers one that others also use. */
export const ledgerContract = (get: Get): void => {
  const incidents = () => get().incidents;
  describe('admission', () => admissionContract(incidents));
  describe('tokens', () => tokenContract(incidents));
  describe('facets', () => facetContract(incidents));
  describe('audit', () => auditContract(incidents));
  describe('closing', () => closingContract(incidents));
  describe('ownership', () => ownershipContract(() => get().ownership));
  describe('surroundings', () => surroundings(get));
};
