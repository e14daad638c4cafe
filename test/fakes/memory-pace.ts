import type { EpochMs } from '../../src/domain/ids.ts';
import { bucketOf, drawn, type PacedApi } from '../../src/domain/pace.ts';
import type { Pace } from '../../src/ports/pace.ts';

/** Turns kept in this process. */
export class MemoryPace implements Pace {
  readonly #emptyAt = new Map<PacedApi, EpochMs>();
  readonly #sharePercent: number;

  constructor(sharePercent = 70) {
    this.#sharePercent = sharePercent;
  }

  async draw(api: PacedApi, tokens: number, now: EpochMs): Promise<EpochMs> {
    const bucket = bucketOf(api, this.#sharePercent);
    const next = drawn(this.#emptyAt.get(api), tokens, bucket, now);
    this.#emptyAt.set(api, next);
    return next;
  }
}
