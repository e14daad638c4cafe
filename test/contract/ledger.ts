import { describe, expect, it } from 'vitest';
import type { EpochMs, InstanceId } from '../../src/domain/ids.ts';
import type { ZoneShift } from '../../src/domain/zone-shift.ts';
import type {
  ClusterLedger,
  Control,
  DriftLedger,
  IncidentLedger,
  NotificationLedger,
  OrderLedger,
  OwnershipLedger,
  QuarantineLedger,
  StormLedger,
} from '../../src/ports/ledger.ts';
import type { TellingLedger } from '../../src/ports/telling.ts';
import { driftContract } from './ledger-drift.ts';
import {
  admissionContract,
  rehearsalContract,
  tokenContract,
  unknownId,
} from './ledger-incidents.ts';
import { orderContract } from './ledger-orders.ts';
import { ownershipContract } from './ledger-ownership.ts';
import { quarantineContract } from './ledger-quarantine.ts';
import { cluster, inventoryAt, newInstanceId, signalOf, t } from './ledger-samples.ts';
import { stormContract } from './ledger-storm.ts';
import { tellingContract } from './ledger-telling.ts';
import { auditContract, closingContract, facetContract } from './ledger-work.ts';

export interface Ledgers {
  readonly incidents: IncidentLedger;
  readonly ownership: OwnershipLedger;
  readonly cluster: ClusterLedger;
  readonly notifications: NotificationLedger;
  readonly storms: StormLedger;
  readonly quarantines: QuarantineLedger;
  readonly drift: DriftLedger;
  readonly orders: OrderLedger;
  readonly telling: TellingLedger;
  /** What an operator does by hand. */
  setControl(cluster: string, control: Control): Promise<void>;
}

type Get = () => Ledgers;

/** Of a zone of the cluster, so many seconds after the beginning. */
const shift = (zoneId: string, kind: string, away: boolean, seconds: number): ZoneShift => ({
  key: `${zoneId} ${kind}`,
  zoneId,
  away,
  at: t(seconds),
  says: `${kind} at ${seconds}`,
});

const surroundings = (get: Get): void => {
  it('has nothing switched until somebody switches it', async () => {
    expect(await get().cluster.control('quiet')).toEqual({ maintenance: {} });
  });

  it('reads what an operator has switched, and keeps shifted zones beside it', async () => {
    const control = {
      paused: { by: 'ana', reason: 'upgrade', until: t(600) },
      maintenance: { [newInstanceId()]: { by: 'ben', until: t(60) } },
      stormAcknowledged: { by: 'ana', until: t(60) },
    };
    await get().setControl('switched', control);
    expect(await get().cluster.control('switched')).toEqual(control);
    const shifts = ['euc1-az1', 'euc1-az3'].map((zoneId) => shift(zoneId, 'autoshift', true, 1));
    const written = shifts.map((one) => get().cluster.rememberZoneShift('switched', one));
    expect(await Promise.all(written)).toEqual(['recorded', 'recorded']);
    const { shiftedZones = {}, ...switched } = await get().cluster.control('switched');
    expect(switched).toEqual(control);
    expect(Object.keys(shiftedZones).sort()).toEqual(['euc1-az1', 'euc1-az3']);
  });

  const believed = (seconds: number): EpochMs => t(seconds + 72 * 3_600);

  it('remembers a zone that traffic left until each shift away from it has ended', async () => {
    const { cluster } = get();
    const remember = (...[kind, away, at]: [string, boolean, number]) =>
      cluster.rememberZoneShift('shifting', shift('euc1-az2', kind, away, at));
    const zones = async () => (await cluster.control('shifting')).shiftedZones;
    expect(await zones()).toBeUndefined();
    expect(await remember('autoshift', true, 10)).toBe('recorded');
    expect(await zones()).toEqual({
      'euc1-az2': { since: t(10), until: believed(10), says: 'autoshift at 10' },
    });
    await remember('manual', true, 20);
    await remember('autoshift', false, 30);
    expect(await zones()).toEqual({
      'euc1-az2': { since: t(20), until: believed(20), says: 'manual at 20' },
    });
    await remember('manual', false, 40);
    expect(await cluster.control('shifting')).toEqual({ maintenance: {} });
  });

  it('believes the later word on a shift, in whatever order they come', async () => {
    const { cluster } = get();
    const remember = (away: boolean, at: number) =>
      cluster.rememberZoneShift('disordered', shift('euc1-az1', 'autoshift', away, at));
    expect(await remember(false, 30)).toBe('recorded');
    expect(await remember(true, 10)).toBe('older');
    expect(await cluster.control('disordered')).toEqual({ maintenance: {} });
    expect(await remember(true, 50)).toBe('recorded');
    expect(await remember(true, 50)).toBe('recorded');
    expect((await cluster.control('disordered')).shiftedZones).toHaveProperty('euc1-az1');
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
    expect(await ledger.slot('moving')).toBeUndefined();
    expect(await ledger.takeSlot('moving', one)).toBe(one);
    expect(await ledger.slot('moving')).toBe(one);
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

  it('gives a detail to one teller at a time, and once it is told to nobody', async () => {
    const { notifications } = get();
    const id = unknownId();
    expect(await notifications.takeDetails(id, ['a', 'b'], t(0))).toEqual(['a', 'b']);
    expect(await notifications.takeDetails(id, ['a', 'b', 'c'], t(1))).toEqual(['c']);
    await notifications.settleDetails(id, ['a'], 'told');
    await notifications.settleDetails(id, ['b'], 'untold');
    expect(await notifications.takeDetails(id, ['a', 'b', 'c'], t(2))).toEqual(['b']);
    expect(await notifications.takeDetails(id, ['a', 'b', 'c'], t(62))).toEqual(['c']);
    expect(await notifications.takeDetails(id, ['a', 'b'], t(63))).toEqual(['b']);
  });
};

/** What every ledger must do, whatever it is made of. `get` answers one that others also use. */
export const ledgerContract = (get: Get): void => {
  const incidents = () => get().incidents;
  describe('admission', () => admissionContract(incidents));
  describe('rehearsals', () => rehearsalContract(incidents));
  describe('tokens', () => tokenContract(incidents));
  describe('facets', () => facetContract(incidents));
  describe('audit', () => auditContract(incidents));
  describe('closing', () => closingContract(incidents));
  describe('ownership', () => ownershipContract(() => get().ownership));
  describe('storms', () => stormContract(() => get().storms));
  describe('telling', () => tellingContract(() => get().telling));
  describe('quarantine', () => quarantineContract(() => get().quarantines));
  describe('drift', () => driftContract(get));
  describe('orders', () => orderContract(get));
  describe('surroundings', () => surroundings(get));
};
