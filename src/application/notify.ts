import { IncidentNotFoundError } from '../domain/errors.ts';
import type { IncidentId } from '../domain/ids.ts';
import { messageOf } from '../domain/message.ts';
import type { Notifier } from '../ports/events.ts';
import type { IncidentLedger, NotificationLedger } from '../ports/ledger.ts';
import type { Log } from '../ports/system.ts';

export interface NotifyDeps {
  readonly ledger: Pick<IncidentLedger, 'incident'> & NotificationLedger;
  /** undefined: nobody wants messages. */
  readonly notifier: Notifier | undefined;
  readonly log: Log;
}

export interface NotifyAnswer {
  readonly kind: 'posted' | 'updated' | 'silent';
}

/**
 * Keeps the one message of an incident true. What it says comes from the ledger, so a late or
 * repeated event only rewrites the same message with the same words.
 */
export const createNotify =
  ({ ledger, log, notifier }: NotifyDeps) =>
  async ({ incidentId }: { readonly incidentId: IncidentId }): Promise<NotifyAnswer> => {
    if (notifier === undefined) return { kind: 'silent' };
    const incident = await ledger.incident(incidentId);
    if (incident === undefined) throw new IncidentNotFoundError(incidentId);
    const message = messageOf(incident);
    const known = await ledger.message(incidentId);
    if (known !== undefined) {
      await notifier.update(known.channel, known.ts, message);
      return { kind: 'updated' };
    }
    const { channel, ts } = await notifier.post(message);
    if ((await ledger.recordMessage(incidentId, channel, ts)) === 'lost') {
      log.warn('incident has two messages', { incidentId, ts });
    }
    return { kind: 'posted' };
  };
