import type { PhaseNews } from '../ports/events.ts';
import type { Log } from '../ports/system.ts';
import type { NotifyAnswer } from './notify.ts';

/**
 * Tells each channel for itself: one that is slow or down keeps the other from nothing. Throws what the
 * first one threw; told again, neither says anything twice.
 */
export const createTell =
  ({
    alert,
    log,
    notify,
  }: {
    readonly notify: (news: PhaseNews) => Promise<NotifyAnswer>;
    readonly alert: (news: PhaseNews) => Promise<void>;
    readonly log: Log;
  }) =>
  async (news: PhaseNews): Promise<NotifyAnswer> => {
    const [message, alerted] = await Promise.allSettled([notify(news), alert(news)]);
    if (alerted.status === 'rejected') {
      const problem = alerted.reason instanceof Error ? alerted.reason.message : 'unknown';
      log.error('nobody was alerted', { incidentId: news.incidentId, problem });
    }
    if (message.status === 'rejected') throw message.reason;
    if (alerted.status === 'rejected') throw alerted.reason;
    return message.value;
  };
