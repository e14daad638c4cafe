import { modeOf } from '../domain/announced.ts';
import { IncidentNotFoundError, TokenLostError } from '../domain/errors.ts';
import type { Incident, IncidentMode } from '../domain/incident.ts';
import type { ClusterLedger, IncidentLedger } from '../ports/ledger.ts';
import type { Clock, Log } from '../ports/system.ts';
import type { Workflow } from '../ports/workflow.ts';
import { startExecution } from './intake.ts';
import type { StepInput } from './step.ts';

export interface TurnIncidentDeps {
  readonly ledger: Pick<IncidentLedger, 'incident' | 'save' | 'takeOver'> &
    Pick<ClusterLedger, 'freeSlot'>;
  readonly workflow: Pick<Workflow, 'start'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** A planned move becomes a failover, a failover of a machine that works a planned move. */
const turned: Readonly<Record<IncidentMode, IncidentMode>> = {
  drain: 'failover',
  failover: 'drain',
};

/**
 * The incident under its next token and its new mode. The mode is written first: whoever resumes it
 * after a crash then starts the right workflow. A try that took it over and died before it could
 * start anything is completed by its repetition.
 */
const take = async (
  { clock, ledger }: TurnIncidentDeps,
  { incidentId, token, from }: TurnInput,
): Promise<Incident> => {
  const incident = await ledger.incident(incidentId);
  if (incident === undefined) throw new IncidentNotFoundError(incidentId);
  const to = turned[from];
  const isTaken =
    incident.token === token + 1 && modeOf(incident) === to && incident.executionArn === undefined;
  if (isTaken) return incident;
  await ledger.save(incidentId, token, { mode: to, hold: null, status: 'open' }, clock.now());
  const taken = await ledger.takeOver(incidentId, token, clock.now());
  if (taken === 'lost') throw new TokenLostError(incidentId, token);
  return taken;
};

export interface TurnInput extends StepInput {
  /** The workflow that gives it away. */
  readonly from: IncidentMode;
}

/**
 * Hands the incident over to the other workflow: the execution that calls this changes nothing more.
 * Throws TokenLostError (somebody else took it), IncidentNotFoundError.
 */
export const createTurnIncident =
  (deps: TurnIncidentDeps) =>
  async (input: TurnInput): Promise<{ readonly kind: 'turned'; readonly execution: string }> => {
    const taken = await take(deps, input);
    await deps.ledger.freeSlot(taken.cluster, taken.id);
    const execution = await startExecution(deps.workflow, taken);
    deps.log.warn('incident turned', { incidentId: taken.id, mode: modeOf(taken) });
    return { kind: 'turned', execution };
  };
