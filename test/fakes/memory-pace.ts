import type { EpochMs } from '../../src/domain/ids.ts';
import {
  type Bucket,
  bucketOf,
  drawn,
  earlySharePercent,
  type PacedApi,
  queueMaxMs,
} from '../../src/domain/pace.ts';
import type { Pace } from '../../src/ports/pace.ts';

/** Turns kept in this process. */
export class MemoryPace implements Pace {
  readonly #emptyAt = new Map<string, EpochMs>();
  readonly #sharePercent: number;

  constructor(sharePercent = 70) {
    this.#sharePercent = sharePercent;
  }

  async draw(api: PacedApi, tokens: number, now: EpochMs): Promise<EpochMs> {
    return this.#draw(api, tokens, bucketOf(api, this.#sharePercent), now);
  }

  async drawEarly(api: PacedApi, tokens: number, now: EpochMs): Promise<EpochMs> {
    const bucket = bucketOf(api, (this.#sharePercent * earlySharePercent) / 100);
    return this.#draw(`${api}#early`, tokens, bucket, now);
  }

  async lastTurn(api: PacedApi): Promise<EpochMs | undefined> {
    return this.#emptyAt.get(api);
  }

  #draw(key: string, tokens: number, bucket: Bucket, now: EpochMs): EpochMs {
    const known = this.#emptyAt.get(key);
    const isFar = known !== undefined && known > now + queueMaxMs;
    const next = drawn(isFar ? undefined : known, tokens, bucket, now);
    this.#emptyAt.set(key, next);
    return next;
  }
}
