import type { Incident } from '../domain/incident.ts';
import { summarise } from '../domain/summary.ts';
import type { AutoScaling } from '../ports/auto-scaling.ts';
import type { PhaseEvents } from '../ports/events.ts';
import type { IncidentLedger } from '../ports/ledger.ts';
import type { Clock } from '../ports/system.ts';
import { makeCalls, type PlannedCall } from './calls.ts';
import { loadIncident, type StepInput } from './step.ts';

export interface CloseIncidentDeps {
  readonly ledger: Pick<IncidentLedger, 'incident' | 'intend' | 'conclude' | 'close'>;
  readonly autoScaling: Pick<AutoScaling, 'resumeReplacement'>;
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

/** Ends the incident. Recovered only if VerifyRecovery saw it; otherwise it was cancelled. */
export const createCloseIncident =
  (deps: CloseIncidentDeps) =>
  async (input: StepInput): Promise<CloseDecision> => {
    const { clock, events, ledger } = deps;
    const incident = await loadIncident(ledger, input);
    const [failed] = (
      await makeCalls(deps, incident, 'CloseIncident', aftercare(deps, incident))
    ).filter((result) => result.kind === 'failed');
    if (failed !== undefined) throw failed.error;
    const status = incident.recovery === undefined ? 'cancelled' : 'recovered';
    const at = clock.now();
    const closed = await ledger.close(incident.id, incident.token, { status, hold: null }, at);
    // A cancelled incident that nobody was told about needs no end either.
    const told = incident.protection !== undefined || incident.hold !== undefined;
    if (status === 'recovered' || told) await events.publish(status, closed, at);
    return { kind: 'closed', status, summary: summarise(closed) };
  };
