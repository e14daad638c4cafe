import type { Clock, Log, Metrics } from '../ports/system.ts';
import type { News, NotifyAnswer } from './notify.ts';

/** A notification that did not reach people and waits in the dead-letter queue. */
export interface ParkedNotice {
  /** Of the message in the queue. */
  readonly id: string;
  /** undefined: nobody can read it; it waits for a person. */
  readonly news: News | undefined;
}

export interface RedeliverDeps {
  readonly notify: (news: News) => Promise<NotifyAnswer>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** What is begun by then ends well before the function does; the rest comes again. */
const budgetMs = 20_000;

/** All that waits in one storm is told by one message; everything else by its incident's. */
const subjectOf = ({ incidentId, phase }: News): string => (phase === 'storm' ? phase : incidentId);

const bySubject = (parked: readonly ParkedNotice[]): Map<string, [News, string[]]> => {
  const subjects = new Map<string, [News, string[]]>();
  for (const { id, news } of parked) {
    if (news === undefined) continue;
    const [, ids] = subjects.get(subjectOf(news)) ?? [news, []];
    subjects.set(subjectOf(news), [news, [...ids, id]]);
  }
  return subjects;
};

/**
 * Tells what was parked, once for each incident however many of its notices wait: the message is
 * written from the ledger as it is now. Answers the ids of those that stay parked.
 */
export const createRedeliver =
  ({ clock, log, metrics, notify }: RedeliverDeps) =>
  async (parked: readonly ParkedNotice[]): Promise<readonly string[]> => {
    const delivered = new Set<string>();
    const until = clock.now() + budgetMs;
    for (const [news, ids] of bySubject(parked).values()) {
      if (clock.now() >= until) break;
      const { incidentId } = news;
      try {
        await notify(news);
        for (const id of ids) delivered.add(id);
        log.info('parked notice delivered', { incidentId, notices: ids.length });
        metrics.count('NoticeRedelivered');
      } catch (error) {
        const problem = error instanceof Error ? error.message : 'unknown';
        log.warn('notice stays parked', { incidentId, notices: ids.length, problem });
      }
    }
    const left = parked.map(({ id }) => id).filter((id) => !delivered.has(id));
    if (left.length > 0) metrics.count('NoticeStillParked', left.length);
    return left;
  };
