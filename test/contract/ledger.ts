import { describe, expect, it } from 'vitest';
import type { InstanceId } from '../../src/domain/ids.ts';
import type {
  ClusterLedger,
  Control,
  DriftLedger,
  IncidentLedger,
  NotificationLedger,
  OwnershipLedger,
  QuarantineLedger,
} from '../../src/ports/ledger.ts';
import { driftContract } from './ledger-drift.ts';
import { admissionContract, tokenContract, unknownId } from './ledger-incidents.ts';
import { ownershipContract } from './ledger-ownership.ts';
import { quarantineContract } from './ledger-quarantine.ts';
import { inventoryAt, newInstanceId, t } from './ledger-samples.ts';
import { auditContract, closingContract, facetContract } from './ledger-work.ts';

export interface Ledgers {
  readonly incidents: IncidentLedger;
  readonly ownership: OwnershipLedger;
  readonly cluster: ClusterLedger;
  readonly notifications: NotificationLedger;
  readonly quarantines: QuarantineLedger;
  readonly drift: DriftLedger;
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
  describe('quarantine', () => quarantineContract(() => get().quarantines));
  describe('drift', () => driftContract(get));
  describe('surroundings', () => surroundings(get));
};
