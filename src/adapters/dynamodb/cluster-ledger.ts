import { LedgerUnavailableError } from '../../domain/errors.ts';
import type { IncidentId, InstanceId } from '../../domain/ids.ts';
import type { Inventory } from '../../domain/service.ts';
import type { ZoneShift } from '../../domain/zone-shift.ts';
import type { ClusterLedger, Control, SwitchChange } from '../../ports/ledger.ts';
import {
  agentPrefix,
  clusterPk,
  controlKey,
  inventoryKey,
  type Key,
  slotKey,
  watchedKey,
} from './keys.ts';
import {
  controlRecord,
  inventoryRecord,
  schemaVersion,
  slotRecord,
  watchedRecord,
} from './records.ts';
import { type LedgerDeps, LedgerTable } from './table.ts';

/** A switch as a change of the item, and as the whole item where there is none. */
const controlChange = ({ maintenance, paused, stormAcknowledged }: SwitchChange) => {
  const begun = maintenance?.begun;
  const flat = { ...(paused && { paused }), ...(stormAcknowledged && { stormAcknowledged }) };
  const entry = '#maintenance.#instance';
  return {
    set: { ...flat, ...(begun && { [entry]: begun }) },
    remove: [...(paused === null ? ['paused'] : []), ...(begun === null ? [entry] : [])],
    ...(maintenance && { names: { names: { instance: maintenance.instanceId } } }),
    first: {
      ...flat,
      maintenance: maintenance && begun ? { [maintenance.instanceId]: begun } : {},
    },
  };
};

class DynamoClusterLedger implements ClusterLedger {
  readonly #table: LedgerTable;

  constructor(deps: LedgerDeps) {
    this.#table = new LedgerTable(deps);
  }

  /** No item means that nobody has switched anything. */
  async control(cluster: string): Promise<Control> {
    return (await this.#table.get(controlKey(cluster), controlRecord)) ?? { maintenance: {} };
  }

  /** The item need not exist yet; another switch may be made beside this one. */
  async switchControl(cluster: string, change: SwitchChange): Promise<void> {
    const key = controlKey(cluster);
    const { first, names, ...update } = controlChange(change);
    const exists = { when: 'attribute_exists(#pk)', ...names };
    const none = { when: 'attribute_not_exists(#pk)' };
    const written =
      (await this.#table.update(key, update, exists, controlRecord)) !== undefined ||
      (await this.#table.put(key, first, none)) ||
      (await this.#table.update(key, update, exists, controlRecord)) !== undefined;
    if (written) return;
    // Refused twice: this version cannot read what stands there, and this read throws.
    await this.control(cluster);
    throw new LedgerUnavailableError('switchControl');
  }

  inventory(instanceId: InstanceId): Promise<Inventory | undefined> {
    return this.#table.get(inventoryKey(instanceId), inventoryRecord);
  }

  /** A slower sweep must not put back what a later one has seen: then the later one stays. */
  async recordInventory(instanceId: InstanceId, inventory: Inventory): Promise<void> {
    const key = inventoryKey(instanceId);
    const written = await this.#table.put(
      key,
      { ...inventory },
      {
        when: 'attribute_not_exists(#pk) OR (#schema = :schema AND #seenAt <= :seenAt)',
        values: { schema: schemaVersion, seenAt: inventory.seenAt },
      },
    );
    // Refused for a record this version cannot read is not being late: this read throws.
    if (!written) await this.inventory(instanceId);
  }

  async watched(cluster: string): Promise<InstanceId[]> {
    const found = await this.#table.list(clusterPk(cluster), agentPrefix, watchedRecord);
    return found.map(({ instanceId }) => instanceId);
  }

  async watch(cluster: string, instanceId: InstanceId): Promise<void> {
    const absent = { when: 'attribute_not_exists(#pk)' };
    await this.#table.put(watchedKey(cluster, instanceId), { instanceId }, absent);
  }

  async unwatch(cluster: string, instanceId: InstanceId): Promise<void> {
    const ours = { when: '#instanceId = :instanceId', values: { instanceId } };
    await this.#table.remove(watchedKey(cluster, instanceId), ours);
  }

  /** Beside the operators' switches, which every step reads anyway; the item need not exist yet. */
  async rememberZoneShift(cluster: string, shift: ZoneShift): Promise<'recorded' | 'older'> {
    const key = controlKey(cluster);
    const first = { zoneShifts: { [shift.key]: { ...shift } } };
    const none = { when: 'attribute_not_exists(#pk)' };
    const noneYet = { when: 'attribute_not_exists(#zoneShifts)' };
    const written =
      (await this.#addShift(key, shift)) ||
      (await this.#table.put(key, { maintenance: {}, ...first }, none)) ||
      (await this.#table.update(key, { set: first }, noneYet, controlRecord)) !== undefined ||
      // Another shift may have been the first one meanwhile.
      (await this.#addShift(key, shift));
    if (written) return 'recorded';
    // Refused for a record this version cannot read is not being late: this read throws.
    await this.control(cluster);
    return 'older';
  }

  async #addShift(key: Key, shift: ZoneShift): Promise<boolean> {
    const change = { set: { '#zoneShifts.#shift': { ...shift } } };
    const later = {
      when:
        'attribute_exists(#zoneShifts) AND ' +
        '(attribute_not_exists(#zoneShifts.#shift) OR #zoneShifts.#shift.#at <= :at)',
      values: { at: shift.at },
      names: { shift: shift.key },
    };
    return (await this.#table.update(key, change, later, controlRecord)) !== undefined;
  }

  /** Refused, it is somebody's: a read says whose, or that it was freed since (ask again). */
  async takeSlot(cluster: string, incidentId: IncidentId, from?: IncidentId) {
    const taken = await this.#table.put(
      slotKey(cluster),
      { incidentId },
      {
        when:
          'attribute_not_exists(#pk) OR ' +
          '(#schema = :schema AND #incidentId IN (:incidentId, :from))',
        values: { schema: schemaVersion, incidentId, from: from ?? incidentId },
      },
    );
    if (taken) return incidentId;
    return this.slot(cluster);
  }

  async slot(cluster: string): Promise<IncidentId | undefined> {
    return (await this.#table.get(slotKey(cluster), slotRecord))?.incidentId;
  }

  async freeSlot(cluster: string, incidentId: IncidentId): Promise<void> {
    const ours = { when: '#incidentId = :incidentId', values: { incidentId } };
    await this.#table.remove(slotKey(cluster), ours);
  }
}

/** What is known and switched for a whole cluster, in DynamoDB. */
export const createClusterLedger = (deps: LedgerDeps): ClusterLedger =>
  new DynamoClusterLedger(deps);
