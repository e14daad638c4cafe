import type { IncidentId, StormId } from '../../domain/ids.ts';
import type { NotificationLedger } from '../../ports/ledger.ts';
import { messageKey } from './keys.ts';
import { messageRecord } from './records.ts';
import { type LedgerDeps, LedgerTable } from './table.ts';

class DynamoNotificationLedger implements NotificationLedger {
  readonly #table: LedgerTable;

  constructor(deps: LedgerDeps) {
    this.#table = new LedgerTable(deps);
  }

  message(id: IncidentId | StormId) {
    return this.#table.get(messageKey(id), messageRecord);
  }

  async recordMessage(
    id: IncidentId | StormId,
    channel: string,
    ts: string,
  ): Promise<'recorded' | 'lost'> {
    const absent = { when: 'attribute_not_exists(#pk)' };
    if (await this.#table.put(messageKey(id), { channel, ts }, absent)) return 'recorded';
    const message = await this.message(id);
    return message?.channel === channel && message.ts === ts ? 'recorded' : 'lost';
  }
}

/** Where the one message of each incident and each storm is, in DynamoDB. */
export const createNotificationLedger = (deps: LedgerDeps): NotificationLedger =>
  new DynamoNotificationLedger(deps);
