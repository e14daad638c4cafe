import { type Alert, alertOf, stormAlertOf } from '../domain/alert.ts';
import { IncidentNotFoundError } from '../domain/errors.ts';
import {
  type ChannelId,
  type EpochMs,
  type IncidentId,
  type StormId,
  stormIdOf,
} from '../domain/ids.ts';
import type { Incident } from '../domain/incident.ts';
import type { Alerts } from '../ports/alerts.ts';
import type { Phase, PhaseNews } from '../ports/events.ts';
import type { IncidentLedger, StormLedger } from '../ports/ledger.ts';
import type { Clock } from '../ports/system.ts';
import type { TellingLedger } from '../ports/telling.ts';

export interface AlertDeps {
  readonly ledger: Pick<IncidentLedger, 'incident'> & Pick<StormLedger, 'storm'>;
  readonly telling: Pick<TellingLedger, 'claimTelling' | 'giveUpTelling' | 'recordTold' | 'told'>;
  readonly alerts: Alerts;
  readonly clock: Clock;
}

/** Longer than a call takes, shorter than the minute until Lambda tries again. */
const alertingMs = 45_000;

/** Once for each kind; who finds somebody else at it leaves it to them, and comes again if they fail. */
export const tellOnce = async (
  {
    alerts,
    clock,
    telling,
  }: Pick<AlertDeps, 'alerts' | 'clock'> & {
    readonly telling: Omit<AlertDeps['telling'], 'told'>;
  },
  about: IncidentId | StormId | ChannelId,
  alert: Alert,
): Promise<void> => {
  const what = `alert ${alert.kind}`;
  const now = clock.now();
  const until = (now + alertingMs) as EpochMs;
  if ((await telling.claimTelling(about, what, now, until)) !== 'claimed') return;
  try {
    await alerts.tell(alert);
  } catch (error) {
    await telling.giveUpTelling(about, what);
    throw error;
  }
  await telling.recordTold(about, what, clock.now());
};

/** Of all news these alone can be any that a pager is told. */
const heard: readonly Phase[] = [
  'held',
  'approval-requested',
  'recovered',
  'cancelled',
  'failed',
  'storm',
];

const incidentAlert = async (
  { ledger, telling }: AlertDeps,
  incident: Incident,
  phase: string,
): Promise<Alert | undefined> => {
  const { cluster, hold, id, status } = incident;
  const isInStorm =
    hold?.reason === 'blind' && (await ledger.storm(cluster)).waiting[id] !== undefined;
  const told = status === 'cancelled' ? await telling.told(id) : [];
  return alertOf(incident, phase, { isInStorm, told: told.filter((w) => w.startsWith('alert ')) });
};

/**
 * Tells the second channel what needs a person, and how it ended: once for each incident, or storm, and
 * kind. As with the message, what is said comes from the ledger: a late event tells of now. Throws
 * NotifierUnavailableError.
 */
export const createAlert =
  (deps: AlertDeps) =>
  async ({ incidentId, phase }: PhaseNews): Promise<void> => {
    if (phase === undefined || !heard.some((one) => one === phase)) return;
    const { ledger } = deps;
    const incident = await ledger.incident(incidentId);
    if (incident === undefined) throw new IncidentNotFoundError(incidentId);
    const { cluster } = incident;
    if (phase !== ('storm' satisfies Phase)) {
      const alert = await incidentAlert(deps, incident, phase);
      if (alert !== undefined) await tellOnce(deps, incidentId, alert);
      return;
    }
    const storm = await ledger.storm(cluster);
    if (storm.began === undefined) return;
    const about = stormIdOf(cluster, storm.began);
    const alert = stormAlertOf(cluster, storm, await deps.telling.told(about));
    if (alert !== undefined) await tellOnce(deps, about, alert);
  };
