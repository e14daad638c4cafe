import { LedgerUnavailableError } from '../../domain/errors.ts';
import type { RequestLedger } from '../../ports/press.ts';
import { requestsKey } from './keys.ts';
import { requestsRecord } from './records.ts';
import { type LedgerDeps, LedgerTable } from './table.ts';

/** So many buttons are pressed at one moment at most. */
const roundsMax = 10;

class DynamoRequestLedger implements RequestLedger {
  readonly #table: LedgerTable;

  constructor(deps: LedgerDeps) {
    this.#table = new LedgerTable(deps);
  }

  /**
   * One item, rewritten without what could not be sent again any more: only signed requests are
   * remembered, so it stays small, and nothing has to expire by itself.
   */
  async rememberRequest(
    cluster: string,
    { digest, until }: Parameters<RequestLedger['rememberRequest']>[1],
    at: Parameters<RequestLedger['rememberRequest']>[2],
  ): Promise<'new' | 'known'> {
    const key = requestsKey(cluster);
    for (let round = 0; round < roundsMax; round += 1) {
      const known = await this.#table.get(key, requestsRecord);
      if (known?.taken[digest] !== undefined) return 'known';
      const live = Object.entries(known?.taken ?? {}).filter(([, end]) => end >= at);
      const record = {
        version: (known?.version ?? 0) + 1,
        taken: Object.fromEntries([...live, [digest, until]]),
      };
      const condition = known
        ? { when: '#version = :seen', values: { seen: known.version } }
        : { when: 'attribute_not_exists(#pk)' };
      if (await this.#table.put(key, record, condition)) return 'new';
    }
    const cause = new Error(`${roundsMax} others wrote first`);
    throw new LedgerUnavailableError('rememberRequest', { cause });
  }
}

/** Requests that were taken, in DynamoDB. */
export const createRequestLedger = (deps: LedgerDeps): RequestLedger =>
  new DynamoRequestLedger(deps);
