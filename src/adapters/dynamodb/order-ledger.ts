import { CorruptRecordError, LedgerUnavailableError } from '../../domain/errors.ts';
import type { OrderRecord } from '../../domain/order.ts';
import type { OrderLedger, OrderNumber, OrderSubject } from '../../ports/ledger.ts';
import { clusterPk, incidentPk, keyText, orderKey, orderPrefix } from './keys.ts';
import { orderRecord } from './records.ts';
import { type LedgerDeps, LedgerTable } from './table.ts';

/** People do not give more orders about one thing in one millisecond. */
const sameMomentMax = 10;

const pkOf = (of: OrderSubject): string =>
  'incidentId' in of ? incidentPk(of.incidentId) : clusterPk(of.cluster);

class DynamoOrderLedger implements OrderLedger {
  readonly #table: LedgerTable;

  constructor(deps: LedgerDeps) {
    this.#table = new LedgerTable(deps);
  }

  /** After a lost answer the repeat appends once more: an order more on record is no harm. */
  async recordOrder(of: OrderSubject, order: Omit<OrderRecord, 'outcome'>): Promise<OrderNumber> {
    for (let nth = 0; nth < sameMomentMax; nth += 1) {
      const key = orderKey(pkOf(of), order.at, nth);
      const absent = { when: 'attribute_not_exists(#pk)' };
      if (await this.#table.put(key, { ...order }, absent)) return { of, at: order.at, nth };
    }
    const cause = new Error(`${sameMomentMax} orders in one millisecond`);
    throw new LedgerUnavailableError('recordOrder', { cause });
  }

  async concludeOrder(
    { of, at, nth }: OrderNumber,
    outcome: NonNullable<OrderRecord['outcome']>,
  ): Promise<void> {
    const key = orderKey(pkOf(of), at, nth);
    const open = { when: 'attribute_not_exists(#outcome)' };
    const concluded = await this.#table.update(key, { set: { outcome } }, open, orderRecord);
    if (concluded !== undefined) return;
    const record = await this.#table.get(key, orderRecord);
    const { kind, says } = record?.outcome ?? {};
    if (kind === outcome.kind && says === outcome.says) return;
    const problem = record ? 'has another outcome already' : 'was never recorded';
    throw new CorruptRecordError(keyText(key), problem);
  }

  orders(of: OrderSubject): Promise<OrderRecord[]> {
    return this.#table.list(pkOf(of), orderPrefix, orderRecord);
  }
}

/** What operators asked for, in DynamoDB. */
export const createOrderLedger = (deps: LedgerDeps): OrderLedger => new DynamoOrderLedger(deps);
