import type { EpochMs } from '../../domain/ids.ts';
import type { TellingLedger, ToldOf } from '../../ports/telling.ts';
import { quietKey, tellingKey, tellingPk, tellingPrefix } from './keys.ts';
import { quietRecord, tellingRecord } from './records.ts';
import { type LedgerDeps, LedgerTable } from './table.ts';

class DynamoTellingLedger implements TellingLedger {
  readonly #table: LedgerTable;

  constructor(deps: LedgerDeps) {
    this.#table = new LedgerTable(deps);
  }

  async claimTelling(id: ToldOf, what: string, at: EpochMs, untilAt: EpochMs) {
    const key = tellingKey(id, what);
    const claim = { what, until: untilAt };
    if (await this.#table.put(key, claim, { when: 'attribute_not_exists(#pk)' })) return 'claimed';
    const over = {
      when: 'attribute_not_exists(#toldAt) AND #until <= :now',
      values: { now: at },
    };
    if (await this.#table.update(key, { set: claim }, over, tellingRecord)) return 'claimed';
    const known = await this.#table.get(key, tellingRecord);
    return known?.toldAt === undefined ? 'busy' : 'told';
  }

  async recordTold(id: ToldOf, what: string, at: EpochMs): Promise<void> {
    const untold = { when: 'attribute_not_exists(#toldAt)' };
    await this.#table.update(tellingKey(id, what), { set: { toldAt: at } }, untold, tellingRecord);
  }

  async told(id: ToldOf): Promise<readonly string[]> {
    const all = await this.#table.list(tellingPk(id), tellingPrefix, tellingRecord);
    return all.filter(({ toldAt }) => toldAt !== undefined).map(({ what }) => what);
  }

  async forgetTold(id: ToldOf, what: string): Promise<void> {
    const told = { when: 'attribute_exists(#toldAt)' };
    const forgotten = { set: { until: 0 }, remove: ['toldAt'] };
    await this.#table.update(tellingKey(id, what), forgotten, told, tellingRecord);
  }

  async giveUpTelling(id: ToldOf, what: string): Promise<void> {
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
