import { type Detail, detailsOf } from '../domain/details.ts';
import { IncidentNotFoundError, NotifierUnavailableError } from '../domain/errors.ts';
import { type IncidentId, type StormId, stormIdOf } from '../domain/ids.ts';
import type { Incident } from '../domain/incident.ts';
import { type IncidentMessage, messageOf, stormMessageOf } from '../domain/message.ts';
import type { Ownership } from '../domain/ownership.ts';
import { phasesOf, type Story } from '../domain/timeline.ts';
import type { Notifier, Phase, PhaseNews } from '../ports/events.ts';
import type {
  IncidentLedger,
  NotificationLedger,
  OrderLedger,
  OwnershipLedger,
  StormLedger,
} from '../ports/ledger.ts';
import type { Clock, Log } from '../ports/system.ts';

export interface NotifyDeps {
  readonly ledger: Pick<IncidentLedger, 'audit' | 'incident'> &
    Pick<OrderLedger, 'orders'> &
    Pick<OwnershipLedger, 'history' | 'ownership'> &
    NotificationLedger &
    Pick<StormLedger, 'storm'>;
  /** undefined: nobody wants messages. */
  readonly notifier: Notifier | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export interface NotifyAnswer {
  readonly kind: 'posted' | 'updated' | 'silent';
}

/** What the message is about and says, and what its thread tells. */
interface News {
  readonly about: IncidentId | StormId;
  readonly message: IncidentMessage;
  readonly details: readonly Detail[];
  /** More news will come by itself, and tells what could not be told now. */
  readonly goesOn: boolean;
}

/** The volume's record under this incident, which a later one may have taken the place of. */
const ownershipOf = async (
  { ledger }: NotifyDeps,
  { id }: Incident,
  volumeId: Ownership['volumeId'],
): Promise<readonly Ownership[]> => {
  const now = await ledger.ownership(volumeId);
  if (now === undefined) return [];
  return now.incidentId === id ? [now] : ledger.history(volumeId);
};

const storyOf = async (deps: NotifyDeps, incident: Incident): Promise<Story> => {
  const { clock, ledger } = deps;
  const volumeIds = incident.facts?.volumes.map(({ volumeId }) => volumeId) ?? [];
  const [calls, orders, ownerships] = await Promise.all([
    ledger.audit(incident.id),
    ledger.orders({ incidentId: incident.id }),
    Promise.all(volumeIds.map((volumeId) => ownershipOf(deps, incident, volumeId))),
  ]);
  return { incident, calls, orders, ownerships: ownerships.flat(), at: clock.now() };
};

const newsOf = async (
  deps: NotifyDeps,
  incidentId: IncidentId,
  phase: string | undefined,
): Promise<News> => {
  const { ledger } = deps;
  const incident = await ledger.incident(incidentId);
  if (incident === undefined) throw new IncidentNotFoundError(incidentId);
  const { cluster, id, status } = incident;
  const isOfStorm = phase === ('storm' satisfies Phase);
  const storm = isOfStorm ? await ledger.storm(cluster) : undefined;
  if (storm?.began !== undefined) {
    const about = stormIdOf(cluster, storm.began);
    return { about, message: stormMessageOf(cluster, storm), details: [], goesOn: true };
  }
  const story = await storyOf(deps, incident);
  const message = messageOf(incident, phasesOf(story));
  return { about: id, message, details: detailsOf(story), goesOn: status === 'open' };
};

type Place = { readonly channel: string; readonly ts: string };

/** Under this key the message itself is taken to be posted, like a detail. */
const itself = ['message'];
/** How often, and how many times, one looks whether another has posted it. */
const lookMs = 500;
const looksMax = 20;

/** Taken before it is posted: two who tell at the same moment would leave two, one of them stale. */
const post = async (
  { clock, ledger, log }: NotifyDeps,
  notifier: Notifier,
  { about, message }: News,
): Promise<Place | undefined> => {
  const mine = await ledger.takeDetails(about, itself, clock.now());
  if (mine.length === 0) return undefined;
  try {
    const place = await notifier.post(message);
    if ((await ledger.recordMessage(about, place.channel, place.ts)) === 'lost') {
      log.warn('incident has two messages', { about, ts: place.ts });
    }
    await ledger.settleDetails(about, itself, 'told');
    return place;
  } catch (error) {
    await ledger.settleDetails(about, itself, 'untold');
    throw error;
  }
};

/** The one message: made once, then rewritten. undefined: another makes it just now. */
const tell = async (
  deps: NotifyDeps,
  notifier: Notifier,
  news: News,
): Promise<{ readonly kind: 'posted' | 'updated'; readonly place: Place } | undefined> => {
  const known = await deps.ledger.message(news.about);
  if (known !== undefined) {
    await notifier.update(known.channel, known.ts, news.message);
    return { kind: 'updated', place: known };
  }
  const place = await post(deps, notifier, news);
  return place && { kind: 'posted', place };
};

/**
 * Into its thread, what is not there yet. Taken before it is told, so that two who tell at the same
 * moment do not say it twice; should the one who took it die, somebody else tells it.
 */
const tellDetails = async (
  { clock, ledger, log }: NotifyDeps,
  notifier: Notifier,
  { about, details, goesOn }: News,
  { channel, ts }: Place,
): Promise<void> => {
  const keys = details.map(({ key }) => key);
  const mine = keys.length === 0 ? [] : await ledger.takeDetails(about, keys, clock.now());
  if (mine.length === 0) return;
  const lines = details.filter(({ key }) => mine.includes(key)).map(({ line }) => line);
  try {
    await notifier.reply(channel, ts, lines);
  } catch (error) {
    await ledger.settleDetails(about, mine, 'untold');
    if (!goesOn || !(error instanceof NotifierUnavailableError)) throw error;
    log.warn('details are told with the next news', { about, problem: error.message });
    return;
  }
  await ledger.settleDetails(about, mine, 'told');
};

/**
 * Keeps the one message of an incident true, and the one of a storm. What it says comes from the
 * ledger, so a late or repeated event only rewrites the same message with the same words, and adds
 * nothing to its thread.
 */
export const createNotify =
  (deps: NotifyDeps) =>
  async ({ incidentId, phase }: PhaseNews): Promise<NotifyAnswer> => {
    const { notifier } = deps;
    if (notifier === undefined) return { kind: 'silent' };
    for (let look = 0; look < looksMax; look += 1) {
      const news = await newsOf(deps, incidentId, phase);
      const told = await tell(deps, notifier, news);
      if (told !== undefined) {
        await tellDetails(deps, notifier, news, told.place);
        return { kind: told.kind };
      }
      await deps.clock.sleep(lookMs);
    }
    throw new NotifierUnavailableError(
      'chat.postMessage',
      'another has taken it and not said where',
    );
  };
