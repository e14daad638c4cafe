import { settledAs, type Told, taken, untold } from '../../domain/details.ts';
import { LedgerUnavailableError } from '../../domain/errors.ts';
import type { EpochMs, IncidentId, StormId } from '../../domain/ids.ts';
import type { NotificationLedger } from '../../ports/ledger.ts';
import { detailsKey, messageKey } from './keys.ts';
import { detailsRecord, messageRecord } from './records.ts';
import { type LedgerDeps, LedgerTable } from './table.ts';

/** So many tell of one incident at one moment at most. */
const roundsMax = 10;

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

  async takeDetails(id: IncidentId | StormId, keys: readonly string[], at: EpochMs) {
    let mine: readonly string[] = [];
    await this.#change(id, (told) => {
      mine = untold(told, keys, at);
      return mine.length === 0 ? undefined : taken(told, mine, at);
    });
    return mine;
  }

  async settleDetails(
    id: IncidentId | StormId,
    keys: readonly string[],
    became: 'told' | 'untold',
  ): Promise<void> {
    await this.#change(id, (told) => {
      const next = settledAs(told, keys, became);
      return keys.every((key) => next[key] === told[key]) ? undefined : next;
    });
  }

  /** Decides anew on what somebody else has written meanwhile; undefined: nothing is to be written. */
  async #change(id: IncidentId | StormId, decide: (told: Told) => Told | undefined): Promise<void> {
    const key = detailsKey(id);
    for (let round = 0; round < roundsMax; round += 1) {
      const known = await this.#table.get(key, detailsRecord);
      const next = decide(known?.told ?? {});
      if (next === undefined) return;
      const record = { version: (known?.version ?? 0) + 1, told: next };
      const condition = known
        ? { when: '#version = :seen', values: { seen: known.version } }
        : { when: 'attribute_not_exists(#pk)' };
      if (await this.#table.put(key, record, condition)) return;
    }
    const cause = new Error(`${roundsMax} others wrote first`);
    throw new LedgerUnavailableError('details', { cause });
  }
}

/** Where the one message of each incident and each storm is, in DynamoDB. */
export const createNotificationLedger = (deps: LedgerDeps): NotificationLedger =>
  new DynamoNotificationLedger(deps);
