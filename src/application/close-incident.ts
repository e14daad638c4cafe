import { IncidentNotFoundError, TokenLostError } from '../domain/errors.ts';
import type { Incident } from '../domain/incident.ts';
import { summarise } from '../domain/summary.ts';
import type { AutoScaling, LifecycleHooks } from '../ports/auto-scaling.ts';
import type { PhaseEvents } from '../ports/events.ts';
import type { ClusterLedger, IncidentLedger } from '../ports/ledger.ts';
import type { Clock } from '../ports/system.ts';
import { answerOf, makeCalls, type PlannedCall } from './calls.ts';
import { letGo } from './lifecycle-hook.ts';
import type { StepInput } from './step.ts';

export interface CloseIncidentDeps {
  readonly ledger: Pick<IncidentLedger, 'incident' | 'intend' | 'conclude' | 'close'> &
    Pick<ClusterLedger, 'freeSlot'>;
  readonly autoScaling: Pick<AutoScaling, 'resumeReplacement'> &
    Pick<LifecycleHooks, 'completeHook'>;
  readonly events: PhaseEvents;
  readonly clock: Clock;
}

export interface CloseDecision {
  readonly kind: 'closed';
  readonly status: 'recovered' | 'cancelled';
  readonly summary: string;
}

/**
 * Aftercare: the fenced instance stays stopped, and in Standby where it is, for a person to look
 * at; a suspension of the whole group must not outlive the incident.
 */
const aftercare = (deps: CloseIncidentDeps, incident: Incident): PlannedCall<void>[] => {
  const done = incident.protection?.autoScaling;
  if (done?.kind !== 'suspended' || incident.recovery === undefined) return [];
  return [
    {
      intent: { call: 'ResumeProcesses', target: done.group, parameters: {} },
      make: async () => {
        await deps.autoScaling.resumeReplacement(done.group);
      },
      outcome: () => ({}),
    },
  ];
};

/** Its data is elsewhere, or there was none: nothing of ours keeps the machine. */
const isEmpty = ({ facts, recovery }: Incident): boolean =>
  recovery !== undefined || facts?.volumes.length === 0;

/** Like any step, but closing again what this execution has closed is completing it. */
const loadToClose = async (
  ledger: CloseIncidentDeps['ledger'],
  { incidentId, token }: StepInput,
): Promise<Incident> => {
  const incident = await ledger.incident(incidentId);
  if (incident === undefined) throw new IncidentNotFoundError(incidentId);
  if (incident.token !== token) throw new TokenLostError(incidentId, token);
  return incident;
};

/** Ends the incident. Recovered only if VerifyRecovery saw it; otherwise it was cancelled. */
export const createCloseIncident =
  (deps: CloseIncidentDeps) =>
  async (input: StepInput): Promise<CloseDecision> => {
    const { clock, events, ledger } = deps;
    const incident = await loadToClose(ledger, input);
    const status = incident.recovery === undefined ? 'cancelled' : 'recovered';
    const at = clock.now();
    const isOver = incident.closedAt !== undefined;
    // Over already: an earlier try did the aftercare and died before it could say so.
    const calls = isOver ? [] : aftercare(deps, incident);
    const hooks = !isOver && isEmpty(incident) ? letGo(deps.autoScaling, incident) : [];
    for (const result of await makeCalls(deps, incident, 'CloseIncident', calls)) answerOf(result);
    for (const result of await makeCalls(deps, incident, 'CloseIncident', hooks)) answerOf(result);
    if (incident.drain !== undefined || incident.mode === 'drain') {
      await ledger.freeSlot(incident.cluster, incident.id);
    }
    const closed = await ledger.close(incident.id, incident.token, { status, hold: null }, at);
    // A cancelled incident that nobody was told about needs no end either.
    const told = incident.protection !== undefined || incident.hold !== undefined;
    if (status === 'recovered' || told) await events.publish(status, closed, at);
    return { kind: 'closed', status, summary: summarise(closed) };
  };
