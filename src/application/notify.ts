import { IncidentNotFoundError } from '../domain/errors.ts';
import { type IncidentId, type StormId, stormIdOf } from '../domain/ids.ts';
import { type IncidentMessage, messageOf, stormMessageOf } from '../domain/message.ts';
import type { Notifier, Phase } from '../ports/events.ts';
import type { IncidentLedger, NotificationLedger, StormLedger } from '../ports/ledger.ts';
import type { Log } from '../ports/system.ts';

export interface NotifyDeps {
  readonly ledger: Pick<IncidentLedger, 'incident'> &
    NotificationLedger &
    Pick<StormLedger, 'storm'>;
  /** undefined: nobody wants messages. */
  readonly notifier: Notifier | undefined;
  readonly log: Log;
}

export interface NotifyAnswer {
  readonly kind: 'posted' | 'updated' | 'silent';
}

/** What the message is about and says: the incident, or the storm in which it waits. */
const newsOf = async (
  ledger: NotifyDeps['ledger'],
  incidentId: IncidentId,
  phase: string | undefined,
): Promise<{ readonly about: IncidentId | StormId; readonly message: IncidentMessage }> => {
  const incident = await ledger.incident(incidentId);
  if (incident === undefined) throw new IncidentNotFoundError(incidentId);
  const { cluster } = incident;
  const isOfStorm = phase === ('storm' satisfies Phase);
  const storm = isOfStorm ? await ledger.storm(cluster) : undefined;
  return storm?.began === undefined
    ? { about: incidentId, message: messageOf(incident) }
    : { about: stormIdOf(cluster, storm.began), message: stormMessageOf(cluster, storm) };
};

/**
 * Keeps the one message of an incident true, and the one of a storm. What it says comes from the
 * ledger, so a late or repeated event only rewrites the same message with the same words.
 */
export const createNotify =
  ({ ledger, log, notifier }: NotifyDeps) =>
  async ({
    incidentId,
    phase,
  }: {
    readonly incidentId: IncidentId;
    readonly phase?: string;
  }): Promise<NotifyAnswer> => {
    if (notifier === undefined) return { kind: 'silent' };
    const { about, message } = await newsOf(ledger, incidentId, phase);
    const known = await ledger.message(about);
    if (known !== undefined) {
      await notifier.update(known.channel, known.ts, message);
      return { kind: 'updated' };
    }
    const { channel, ts } = await notifier.post(message);
    if ((await ledger.recordMessage(about, channel, ts)) === 'lost') {
      log.warn('incident has two messages', { incidentId, ts });
    }
    return { kind: 'posted' };
  };
