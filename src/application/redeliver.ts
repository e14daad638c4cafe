import { silentChannelAlert } from '../domain/alert.ts';
import { NotifierUnavailableError } from '../domain/errors.ts';
import { channelIdOf } from '../domain/ids.ts';
import type { Alerts } from '../ports/alerts.ts';
import type { PhaseNews } from '../ports/events.ts';
import type { Clock, Log, Metrics } from '../ports/system.ts';
import type { TellingLedger } from '../ports/telling.ts';
import { tellOnce } from './alert.ts';
import type { NotifyAnswer } from './notify.ts';

/** A notification that did not reach people and waits in the dead-letter queue. */
export interface ParkedNotice {
  /** Of the message in the queue. */
  readonly id: string;
  /** undefined: nobody can read it; it waits for a person. */
  readonly news: PhaseNews | undefined;
}

export interface RedeliverDeps {
  /** Tells every channel. */
  readonly tell: (news: PhaseNews) => Promise<NotifyAnswer>;
  readonly telling: Pick<
    TellingLedger,
    'claimTelling' | 'forgetTold' | 'giveUpTelling' | 'recordTold'
  >;
  readonly alerts: Alerts;
  readonly cluster: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** What is begun by then ends well before the function does; the rest comes again. */
const budgetMs = 20_000;

/** All that waits in one storm is told by one message; everything else by its incident's. */
const subjectOf = ({ incidentId, phase }: PhaseNews): string =>
  phase === 'storm' ? phase : incidentId;

const bySubject = (parked: readonly ParkedNotice[]): Map<string, [PhaseNews, string[]]> => {
  const subjects = new Map<string, [PhaseNews, string[]]>();
  for (const { id, news } of parked) {
    if (news === undefined) continue;
    const [, ids] = subjects.get(subjectOf(news)) ?? [news, []];
    subjects.set(subjectOf(news), [news, [...ids, id]]);
  }
  return subjects;
};

/** Why Slack itself took nothing; undefined for trouble of another kind. */
const silenceIn = (error: unknown): string | undefined =>
  error instanceof NotifierUnavailableError && error.details.operation !== 'Publish'
    ? error.details.code
    : undefined;

/** One alert for each outage of Slack, on the other channel. What cannot be told now is tried next time. */
const tellOfSilence = async (
  deps: RedeliverDeps,
  { why, delivered, left }: { why: string | undefined; delivered: number; left: number },
): Promise<void> => {
  const { cluster, log, telling } = deps;
  const channel = channelIdOf(cluster);
  if (delivered > 0) {
    await telling.forgetTold(channel, 'alert unreachable');
  } else if (why !== undefined) {
    await tellOnce(deps, channel, silentChannelAlert(cluster, why, left)).catch(
      (error: unknown) => {
        const problem = error instanceof Error ? error.message : 'unknown';
        log.error('nobody was alerted', { problem });
      },
    );
  }
};

/**
 * Tells what was parked, once for each incident however many of its notices wait: the message is
 * written from the ledger as it is now. Answers the ids of those that stay parked.
 */
export const createRedeliver =
  (deps: RedeliverDeps) =>
  async (parked: readonly ParkedNotice[]): Promise<readonly string[]> => {
    const { clock, log, metrics, tell } = deps;
    const delivered = new Set<string>();
    let why: string | undefined;
    const until = clock.now() + budgetMs;
    for (const [news, ids] of bySubject(parked).values()) {
      if (clock.now() >= until) break;
      const { incidentId } = news;
      try {
        await tell(news);
        for (const id of ids) delivered.add(id);
        log.info('parked notice delivered', { incidentId, notices: ids.length });
        metrics.count('NoticeRedelivered');
      } catch (error) {
        const problem = error instanceof Error ? error.message : 'unknown';
        why ??= silenceIn(error);
        log.warn('notice stays parked', { incidentId, notices: ids.length, problem });
      }
    }
    const left = parked.map(({ id }) => id).filter((id) => !delivered.has(id));
    await tellOfSilence(deps, { why, delivered: delivered.size, left: left.length });
    if (left.length > 0) metrics.count('NoticeStillParked', left.length);
    return left;
  };
