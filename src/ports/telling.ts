import type { ChannelId, EpochMs, IncidentId, StormId } from '../domain/ids.ts';

/** Of what something is told. */
export type ToldOf = IncidentId | StormId | ChannelId;

/** Whose turn it is to tell something, what has been told for good, and who wants to be left alone. */
export interface TellingLedger {
  /**
   * `claimed`: the caller tells it, and until `untilAt` nobody else does. A claim whose answer was lost
   * counts as somebody else's until it ends.
   */
  claimTelling(
    id: ToldOf,
    what: string,
    at: EpochMs,
    untilAt: EpochMs,
  ): Promise<'claimed' | 'busy' | 'told'>;
  /** Told for good: nobody claims it again. */
  recordTold(id: ToldOf, what: string, at: EpochMs): Promise<void>;
  /** What has been told of it for good. */
  told(id: ToldOf): Promise<readonly string[]>;
  /** It may be told again: its cause has gone. */
  forgetTold(id: ToldOf, what: string): Promise<void>;
  /** It could not be told: whoever comes next may claim it. */
  giveUpTelling(id: ToldOf, what: string): Promise<void>;
  /** Before this the channel wants to hear nothing of this cluster; undefined: it never said so. */
  quietUntil(cluster: string): Promise<EpochMs | undefined>;
  /** Whoever said so with a later time is not overruled. */
  keepQuiet(cluster: string, until: EpochMs): Promise<void>;
}
