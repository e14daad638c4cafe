import { IncidentNotFoundError, TokenLostError } from '../domain/errors.ts';
import type { EpochMs, IncidentId } from '../domain/ids.ts';
import type { HoldReason, Incident, IncidentPatch } from '../domain/incident.ts';
import { isCrowd } from '../domain/pace.ts';
import type { ClusterLedger, Control, IncidentLedger } from '../ports/ledger.ts';

/** What every step is given by the workflow: a key and a right. */
export interface StepInput {
  readonly incidentId: IncidentId;
  readonly token: number;
}

export interface StepDeps {
  readonly ledger: Pick<IncidentLedger, 'incident' | 'save'> & Pick<ClusterLedger, 'control'>;
}

/**
 * Loads the incident, consistently, and checks that this execution still holds it. Throws
 * IncidentNotFoundError, TokenLostError (taken over, or closed).
 */
export const loadIncident = async (
  ledger: Pick<IncidentLedger, 'incident'>,
  { incidentId, token }: StepInput,
): Promise<Incident> => {
  const incident = await ledger.incident(incidentId);
  if (incident === undefined) throw new IncidentNotFoundError(incidentId);
  const over = incident.status === 'recovered' || incident.status === 'cancelled';
  if (incident.token !== token || over) throw new TokenLostError(incidentId, token);
  return incident;
};

/** The incident and the operator's switches, read together. */
export const loadStep = async (
  ledger: StepDeps['ledger'],
  input: StepInput,
  cluster: string,
): Promise<{ incident: Incident; control: Control }> => {
  const [incident, control] = await Promise.all([
    loadIncident(ledger, input),
    ledger.control(cluster),
  ]);
  return { incident, control };
};

/** The same, and how many incidents are open, if so many that they must share EC2's buckets. */
export const loadStepInCrowd = async (
  ledger: StepDeps['ledger'] & Pick<IncidentLedger, 'openIncidents'>,
  input: StepInput,
  cluster: string,
): Promise<{ incident: Incident; control: Control; crowd: number | undefined }> => {
  const [step, open] = await Promise.all([
    loadStep(ledger, input, cluster),
    ledger.openIncidents(cluster),
  ]);
  return { ...step, crowd: isCrowd(open.length) ? open.length : undefined };
};

/** First waits of a held incident; the last one repeats. Seconds. */
const holdWaits = [5, 10, 20, 40, 60] as const;
/** How long an execution waits inside a hold before it ends and leaves it to the sweep. */
const holdInsideMs = 15 * 60_000;

/** Behind the storm brake a machine is looked at this rarely. */
const stormLookMs = 300_000;

export const holdWaitSeconds = (looks: number): number =>
  holdWaits[Math.min(looks, holdWaits.length - 1)] ?? 60;

/** What is planned is looked at this often at least: the plan may have changed. */
const plannedMs = 3_600_000;

/** Why nothing is done now, and what else is known of when to look again. */
export interface HoldWish {
  readonly reason: HoldReason;
  readonly says: string;
  /** Nothing changes by itself before this. */
  readonly until?: EpochMs;
  /** Then at the latest: something ends. */
  readonly by?: EpochMs;
}

/**
 * Writes the hold down, with `patch` in the same write. The same reason keeps its start and its growing
 * wait; another one begins anew.
 */
export const recordHold = (
  ledger: Pick<IncidentLedger, 'save'>,
  incident: Incident,
  { reason, says, until, by = Number.POSITIVE_INFINITY as EpochMs }: HoldWish,
  now: EpochMs,
  patch: IncidentPatch = {},
): Promise<Incident> => {
  const same = incident.hold?.reason === reason ? incident.hold : undefined;
  const looks = same === undefined ? 0 : same.looks + 1;
  const since = same?.since ?? now;
  // The longer it lasts the rarer the looks: one in five of its age, at most a quarter of an hour.
  const rareMs = Math.min(Math.round((now - since) / 5), holdInsideMs);
  // The sweep wakes whoever's turn it is, so that a thousand that wait need not look for themselves.
  const leastMs = reason === 'storm' ? stormLookMs : holdWaitSeconds(looks) * 1000;
  const waitMs = Math.max(leastMs, rareMs);
  const next = until === undefined ? now + waitMs : Math.min(until, now + plannedMs);
  // What is overdue already is looked at without haste too.
  const retryAt = Math.min(next, Math.max(by, now + holdWaitSeconds(0) * 1000)) as EpochMs;
  const record = { reason, says, since, looks, retryAt };
  return ledger.save(incident.id, incident.token, { ...patch, status: 'held', hold: record }, now);
};

/** The same; answers the decision the step returns. */
export const hold = async (
  ledger: Pick<IncidentLedger, 'save'>,
  incident: Incident,
  wish: HoldWish,
  now: EpochMs,
): Promise<{ kind: 'hold'; reason: HoldReason }> => {
  await recordHold(ledger, incident, wish, now);
  return { kind: 'hold', reason: wish.reason };
};

/** At the first look, and ever more rarely again: an event may be lost, and a repeat says the same. */
export const isTold = (looks: number): boolean => looks === 0 || Number.isInteger(Math.log2(looks));

/** True while the execution itself should keep looking at a held incident. */
export const waitsInside = (since: EpochMs, now: EpochMs): boolean => now - since < holdInsideMs;
