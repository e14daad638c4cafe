import { LedgerUnavailableError } from '../../domain/errors.ts';
import type { EpochMs } from '../../domain/ids.ts';
import {
  type Bucket,
  bucketOf,
  drawn,
  earlySharePercent,
  type PacedApi,
  queueMaxMs,
} from '../../domain/pace.ts';
import type { Pace } from '../../ports/pace.ts';
import { paceKey } from './keys.ts';
import { paceRecord, schemaVersion } from './records.ts';
import { type LedgerDeps, LedgerTable } from './table.ts';

/** Both writes are refused only if the bucket filled or was drawn from just between them. */
const roundsMax = 5;

export interface PaceLedgerDeps extends LedgerDeps {
  readonly cluster: string;
  /** Of each documented bucket. */
  readonly sharePercent: number;
}

class DynamoPace implements Pace {
  readonly #table: LedgerTable;
  readonly #cluster: string;
  readonly #sharePercent: number;

  constructor({ cluster, sharePercent, ...deps }: PaceLedgerDeps) {
    this.#table = new LedgerTable(deps);
    this.#cluster = cluster;
    this.#sharePercent = sharePercent;
  }

  draw(api: PacedApi, tokens: number, now: EpochMs): Promise<EpochMs> {
    return this.#draw(api, tokens, bucketOf(api, this.#sharePercent), now);
  }

  drawEarly(api: PacedApi, tokens: number, now: EpochMs): Promise<EpochMs> {
    const sharePercent = (this.#sharePercent * earlySharePercent) / 100;
    return this.#draw(`${api}#early`, tokens, bucketOf(api, sharePercent), now);
  }

  async lastTurn(api: PacedApi): Promise<EpochMs | undefined> {
    return (await this.#table.get(paceKey(this.#cluster, api), paceRecord))?.emptyAt;
  }

  async #draw(api: string, tokens: number, bucket: Bucket, now: EpochMs): Promise<EpochMs> {
    for (let round = 0; round < roundsMax; round += 1) {
      const at =
        (await this.#fromFull(api, tokens, bucket, now)) ??
        (await this.#behindOthers(api, tokens, bucket, now));
      if (at !== undefined) return at;
    }
    const record = await this.#table.get(paceKey(this.#cluster, api), paceRecord);
    const cause = new Error(`${api}: no turn in ${roundsMax} rounds, emptyAt ${record?.emptyAt}`);
    throw new LedgerUnavailableError('draw', { cause });
  }

  /** A single failure finds it so: one write. */
  async #fromFull(
    api: string,
    tokens: number,
    bucket: Bucket,
    now: EpochMs,
  ): Promise<EpochMs | undefined> {
    const emptyAt = drawn(undefined, tokens, bucket, now);
    const written = await this.#table.put(
      paceKey(this.#cluster, api),
      { emptyAt },
      {
        when:
          'attribute_not_exists(#pk) OR ' +
          '(#schema = :schema AND (#emptyAt < :full OR #emptyAt > :far))',
        values: { schema: schemaVersion, full: now - bucket.fullMs, far: now + queueMaxMs },
      },
    );
    return written ? emptyAt : undefined;
  }

  async #behindOthers(
    api: string,
    tokens: number,
    { tokenMs, fullMs }: Bucket,
    now: EpochMs,
  ): Promise<EpochMs | undefined> {
    const left = await this.#table.update(
      paceKey(this.#cluster, api),
      { add: { emptyAt: tokens * tokenMs } },
      {
        when: '#emptyAt >= :full AND #emptyAt <= :far',
        values: { full: now - fullMs, far: now + queueMaxMs },
      },
      paceRecord,
    );
    return left?.emptyAt;
  }
}

/** Turns at EC2's request buckets, one item per API, in DynamoDB. */
export const createPace = (deps: PaceLedgerDeps): Pace => new DynamoPace(deps);
