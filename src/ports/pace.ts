import type { EpochMs } from '../domain/ids.ts';
import type { PacedApi } from '../domain/pace.ts';

/** Turns at EC2's request buckets, shared by all executions. */
export interface Pace {
  /**
   * Takes so many tokens at once. Answers from when on all of the calls may be made; at once, if
   * that is past. What is drawn is not given back. Throws LedgerUnavailableError.
   */
  draw(api: PacedApi, tokens: number, now: EpochMs): Promise<EpochMs>;
  /** The same, of the part of the bucket that is for those at the beginning of their work. */
  drawEarly(api: PacedApi, tokens: number, now: EpochMs): Promise<EpochMs>;
  /** The last turn that was drawn, where anything was; draws none. Throws LedgerUnavailableError. */
  lastTurn(api: PacedApi): Promise<EpochMs | undefined>;
}
