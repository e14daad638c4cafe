import type { EpochMs, IncidentId, StormId } from '../../domain/ids.ts';
import type { TellingLedger } from '../../ports/telling.ts';
import { quietKey, tellingKey } from './keys.ts';
import { quietRecord, tellingRecord } from './records.ts';
import { type LedgerDeps, LedgerTable } from './table.ts';

class DynamoTellingLedger implements TellingLedger {
  readonly #table: LedgerTable;

  constructor(deps: LedgerDeps) {
    this.#table = new LedgerTable(deps);
  }

  async claimTelling(id: IncidentId | StormId, what: string, at: EpochMs, untilAt: EpochMs) {
    const key = tellingKey(id, what);
    const claim = { until: untilAt };
    if (await this.#table.put(key, claim, { when: 'attribute_not_exists(#pk)' })) return 'claimed';
    const over = {
      when: 'attribute_not_exists(#toldAt) AND #until <= :now',
      values: { now: at },
    };
    if (await this.#table.update(key, { set: claim }, over, tellingRecord)) return 'claimed';
    const known = await this.#table.get(key, tellingRecord);
    return known?.toldAt === undefined ? 'busy' : 'told';
  }

  async recordTold(id: IncidentId | StormId, what: string, at: EpochMs): Promise<void> {
    const untold = { when: 'attribute_not_exists(#toldAt)' };
    await this.#table.update(tellingKey(id, what), { set: { toldAt: at } }, untold, tellingRecord);
  }

  async giveUpTelling(id: IncidentId | StormId, what: string): Promise<void> {
    const untold = { when: 'attribute_not_exists(#toldAt)' };
    await this.#table.update(tellingKey(id, what), { set: { until: 0 } }, untold, tellingRecord);
  }

  async quietUntil(cluster: string): Promise<EpochMs | undefined> {
    return (await this.#table.get(quietKey(cluster), quietRecord))?.until;
  }

  async keepQuiet(cluster: string, until: EpochMs): Promise<void> {
    const key = quietKey(cluster);
    if (await this.#table.put(key, { until }, { when: 'attribute_not_exists(#pk)' })) return;
    const sooner = { when: '#until < :until', values: { until } };
    await this.#table.update(key, { set: { until } }, sooner, quietRecord);
  }
}

/** Who tells what, in DynamoDB: one item for each thing that is told once. */
export const createTellingLedger = (deps: LedgerDeps): TellingLedger =>
  new DynamoTellingLedger(deps);
