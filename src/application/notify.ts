import { IncidentNotFoundError, NotifierUnavailableError } from '../domain/errors.ts';
import { type EpochMs, type IncidentId, type StormId, stormIdOf } from '../domain/ids.ts';
import { type IncidentMessage, messageOf, stormMessageOf } from '../domain/message.ts';
import type { Notifier, Phase, PhaseNews } from '../ports/events.ts';
import type { IncidentLedger, NotificationLedger, StormLedger } from '../ports/ledger.ts';
import type { Clock, Log } from '../ports/system.ts';
import type { TellingLedger } from '../ports/telling.ts';

export interface NotifyDeps {
  readonly ledger: Pick<IncidentLedger, 'incident'> &
    NotificationLedger &
    Pick<StormLedger, 'storm'>;
  /** undefined: nobody wants messages. */
  readonly notifier: Notifier | undefined;
  readonly telling: Pick<TellingLedger, 'claimTelling' | 'giveUpTelling'>;
  readonly clock: Clock;
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

/** Longer than it takes to post a message, shorter than the minute until Lambda tries again. */
const postingMs = 45_000;
const lookEveryMs = 500;
const lookForMs = 10_000;

/**
 * Where the message is, once it is; undefined: it is the caller's to post. Of many that tell of one
 * incident at one moment, as after an outage, only one posts: Slack itself would take them all.
 */
const placeOf = async ({ clock, ledger, telling }: NotifyDeps, about: IncidentId | StormId) => {
  for (let waitedMs = 0; ; waitedMs += lookEveryMs) {
    const known = await ledger.message(about);
    if (known !== undefined) return known;
    const now = clock.now();
    const until = (now + postingMs) as EpochMs;
    if ((await telling.claimTelling(about, 'message', now, until)) === 'claimed') return undefined;
    if (waitedMs >= lookForMs) throw new NotifierUnavailableError('post', 'another one posts it');
    await clock.sleep(lookEveryMs);
  }
};

const post = async (
  { ledger, log, telling }: NotifyDeps,
  notifier: Notifier,
  about: IncidentId | StormId,
  message: IncidentMessage,
): Promise<void> => {
  const { channel, ts } = await notifier.post(message).catch(async (error: unknown) => {
    await telling.giveUpTelling(about, 'message');
    throw error;
  });
  if ((await ledger.recordMessage(about, channel, ts)) === 'lost') {
    log.warn('incident has two messages', { about, ts });
  }
};

/**
 * Keeps the one message of an incident true, and the one of a storm. What it says comes from the
 * ledger, so a late or repeated event only rewrites the same message with the same words.
 */
export const createNotify =
  (deps: NotifyDeps) =>
  async ({ incidentId, phase }: PhaseNews): Promise<NotifyAnswer> => {
    const { ledger, notifier } = deps;
    if (notifier === undefined) return { kind: 'silent' };
    const { about, message } = await newsOf(ledger, incidentId, phase);
    const known = await placeOf(deps, about);
    if (known === undefined) {
      await post(deps, notifier, about, message);
      return { kind: 'posted' };
    }
    await notifier.update(known.channel, known.ts, message);
    return { kind: 'updated' };
  };
