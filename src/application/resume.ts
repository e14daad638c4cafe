import { modeOf } from '../domain/announced.ts';
import type { IncidentId } from '../domain/ids.ts';
import type { Incident } from '../domain/incident.ts';
import type { Scope } from '../domain/scope.ts';
import type { StormPolicy } from '../domain/storm.ts';
import type { ClusterLedger, Control, IncidentLedger } from '../ports/ledger.ts';
import type { Log, Metrics } from '../ports/system.ts';
import type { ExecutionStatus, Workflow } from '../ports/workflow.ts';
import { tellEnd } from './close-incident.ts';
import { startExecution } from './intake.ts';
import { inOrder, keepStorm, type StormWatchDeps, turnsIn } from './storm-watch.ts';
import { heldByOperator } from './switches.ts';

export interface ResumeDeps extends StormWatchDeps {
  readonly policy: StormPolicy;
  readonly ledger: StormWatchDeps['ledger'] &
    Pick<IncidentLedger, 'close' | 'incident' | 'openIncidents' | 'takeOver' | 'unlist'> &
    Pick<ClusterLedger, 'control'>;
  readonly workflow: Pick<Workflow, 'start' | 'status' | 'arnOf'>;
  readonly scope: Scope;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** An execution that ended is believed gone only when the incident was quiet for this long too. */
const quietMs = 60_000;

/** Held because an operator had said so, and nobody says so any more. */
const isLetGo = ({ hold, status }: Incident): boolean =>
  status === 'held' && ['paused', 'maintenance', 'operator-hold'].includes(hold?.reason ?? '');

/** How its last execution ended; undefined: it still runs, or nobody need look yet. */
const endedAs = async (
  deps: ResumeDeps,
  incident: Incident,
  turns: ReadonlySet<IncidentId>,
  control: Control,
): Promise<ExecutionStatus | undefined> => {
  const { clock, workflow } = deps;
  // Until a person resumes it there is nothing to look at.
  if (incident.operatorHold !== undefined) return undefined;
  const now = clock.now();
  const due =
    incident.status === 'held' ? (incident.hold?.retryAt ?? 0) : incident.updatedAt + quietMs;
  const isFree = isLetGo(incident) && heldByOperator(incident, control, now) === undefined;
  if (now < due && !turns.has(incident.id) && !isFree) return undefined;
  const arn = incident.executionArn ?? workflow.arnOf(modeOf(incident), incident.executionName);
  const status = await workflow.status(arn);
  return status === 'RUNNING' ? undefined : status;
};

/** Takes the incident over if nobody works on it. A quiet ledger alone proves nothing. */
const resumeOne = async (
  deps: ResumeDeps,
  incident: Incident,
  turns: ReadonlySet<IncidentId>,
  control: Control,
): Promise<boolean> => {
  const { clock, events, ledger, log, metrics, workflow } = deps;
  const { id } = incident;
  const { status } = incident;
  if (status === 'recovered' || status === 'cancelled') {
    // Over but still listed: its closing was cut short, or the bus did not take its end.
    if (clock.now() < incident.updatedAt + quietMs) return false;
    const closed = await ledger.close(id, incident.token, { status }, clock.now());
    await tellEnd(deps, { ...closed, status }, clock.now());
    return false;
  }
  const ended = await endedAs(deps, incident, turns, control);
  if (ended === undefined) return false;
  const taken = await ledger.takeOver(id, incident.token, clock.now(), {}, status);
  if (taken === 'lost') return false;
  await startExecution(workflow, taken);
  log.warn('incident resumed', { incidentId: id, token: taken.token });
  metrics.count('IncidentResumed');
  // Not of one that a person has aborted: they know.
  if (ended === 'FAILED' || ended === 'TIMED_OUT') {
    await events.publish('failed', taken, clock.now());
  }
  return true;
};

/** One incident that cannot be taken up must not keep the others from it; undefined: this one was. */
const unless = async <T>(
  { log, metrics }: ResumeDeps,
  incidentId: IncidentId,
  act: () => Promise<T>,
): Promise<T | undefined> => {
  try {
    return await act();
  } catch (error) {
    const problem = error instanceof Error ? error.message : 'unknown';
    log.error('incident not resumed', { incidentId, problem });
    metrics.count('IncidentNotResumed');
    return undefined;
  }
};

/** Takes up what nobody works on; what waits behind the storm brake in the order of its turns. */
export const resume = async (deps: ResumeDeps, agents: number): Promise<IncidentId[]> => {
  const { clock, ledger, policy, scope } = deps;
  const [ids, storm, control] = await Promise.all([
    ledger.openIncidents(scope.cluster),
    ledger.storm(scope.cluster),
    ledger.control(scope.cluster),
  ]);
  const incidents: Incident[] = [];
  const unread: IncidentId[] = [];
  for (const id of ids) {
    const read = await unless(deps, id, async () => ({ incident: await ledger.incident(id) }));
    if (read === undefined) unread.push(id);
    else if (read.incident !== undefined) incidents.push(read.incident);
  }
  const view = { policy, agents, now: clock.now() };
  const turns = turnsIn(incidents, storm, control, view);
  const resumed: IncidentId[] = [];
  for (const incident of inOrder(incidents, storm)) {
    const isTaken = await unless(deps, incident.id, () =>
      resumeOne(deps, incident, turns, control),
    );
    if (isTaken === true) resumed.push(incident.id);
  }
  await keepStorm(deps, scope.cluster, storm, incidents, unread);
  return resumed;
};
