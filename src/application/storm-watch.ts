import type { EpochMs, IncidentId } from '../domain/ids.ts';
import type { Incident } from '../domain/incident.ts';
import { type BrakeView, queueOf, type Storm, turnsOf } from '../domain/storm.ts';
import type { PhaseEvents } from '../ports/events.ts';
import type { Control, IncidentLedger, StormLedger } from '../ports/ledger.ts';
import type { Clock } from '../ports/system.ts';

export interface StormWatchDeps {
  readonly ledger: Pick<IncidentLedger, 'incident'> & Pick<StormLedger, 'leaveStorm' | 'storm'>;
  readonly events: PhaseEvents;
  readonly clock: Clock;
}

/** The end of a storm is told for so long: a sweep may fail, and its event be lost. */
const endToldMs = 150_000;

const isBehind = ({ hold, status }: Incident): boolean =>
  status === 'held' && hold?.reason === 'storm';

/** A person has said that it need not wait for its turn. */
const isWaved = ({ acknowledged = [] }: Incident, control: Control, now: EpochMs): boolean =>
  acknowledged.includes('storm') || now < (control.stormAcknowledged?.until ?? 0);

/** Those behind the storm brake that may go on now, whatever their next look was to be. */
export const turnsIn = (
  incidents: readonly Incident[],
  storm: Storm,
  control: Control,
  view: BrakeView,
): ReadonlySet<IncidentId> => {
  const next = new Set(turnsOf(storm, view));
  const may = incidents.filter(
    (incident) =>
      isBehind(incident) && (next.has(incident.id) || isWaved(incident, control, view.now)),
  );
  return new Set(may.map(({ id }) => id));
};

/** Those that wait behind the brake come last, and among them the highest priority first. */
export const inOrder = (incidents: readonly Incident[], storm: Storm): readonly Incident[] => {
  const ranks = new Map(queueOf(storm).map(([id], rank) => [id, rank]));
  const rankOf = (incident: Incident): number =>
    isBehind(incident) ? (ranks.get(incident.id) ?? ranks.size) : -1;
  return incidents.toSorted((a, b) => rankOf(a) - rankOf(b));
};

/** It is over, or held for something else by now. */
const waitsNoMore = (incident: Incident | undefined): boolean =>
  incident === undefined ||
  incident.status === 'recovered' ||
  incident.status === 'cancelled' ||
  (incident.status === 'held' && !['storm', 'blind'].includes(incident.hold?.reason ?? ''));

/**
 * Takes those off the list that wait no more, and has the storm's one message rewritten, also when
 * the event that should have begun it was lost. `known` are all open incidents that could be read,
 * `unread` those that could not.
 */
export const keepStorm = async (
  { clock, events, ledger }: StormWatchDeps,
  cluster: string,
  before: Storm,
  known: readonly Incident[],
  unread: readonly IncidentId[],
): Promise<void> => {
  const { began, ended, first } = before;
  if (began === undefined || first === undefined) return;
  const now = clock.now();
  const byId = new Map(known.map((incident) => [incident.id, incident]));
  const gone = queueOf(before).filter(([id]) => !unread.includes(id) && waitsNoMore(byId.get(id)));
  const isOn = ended === undefined;
  if (isOn && (gone.length > 0 || queueOf(before).length === 0)) {
    const ids = gone.map(([id]) => id);
    await ledger.leaveStorm(cluster, ids, now);
  }
  if (!isOn && now - ended >= endToldMs) return;
  const teller = byId.get(first) ?? (await ledger.incident(first));
  if (teller !== undefined) await events.publish('storm', teller, now);
};
