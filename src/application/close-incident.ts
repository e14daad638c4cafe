import { IncidentNotFoundError, TokenLostError } from '../domain/errors.ts';
import type { EpochMs } from '../domain/ids.ts';
import type { Incident } from '../domain/incident.ts';
import { isTaggedQuarantined, type Quarantine } from '../domain/quarantine.ts';
import { type Scope, whyNotOurs } from '../domain/scope.ts';
import { summarise } from '../domain/summary.ts';
import type { AutoScaling, LifecycleHooks } from '../ports/auto-scaling.ts';
import type { ComputeReads, MachineMarks } from '../ports/compute.ts';
import type { PhaseEvents } from '../ports/events.ts';
import type {
  ClusterLedger,
  IncidentLedger,
  OwnershipLedger,
  QuarantineLedger,
} from '../ports/ledger.ts';
import type { Clock, Log } from '../ports/system.ts';
import { answerOf, makeCalls, type PlannedCall } from './calls.ts';
import { letGo } from './lifecycle-hook.ts';
import { markCall } from './quarantine-agent.ts';
import type { StepInput } from './step.ts';
import type { SwitchDeps } from './switches.ts';

export interface CloseIncidentDeps extends SwitchDeps {
  readonly ledger: Pick<IncidentLedger, 'incident' | 'intend' | 'conclude' | 'close' | 'unlist'> &
    Pick<QuarantineLedger, 'saveQuarantine'> &
    Pick<OwnershipLedger, 'ownership'> &
    Pick<ClusterLedger, 'control' | 'freeSlot'>;
  readonly compute: Pick<ComputeReads, 'instance'> & Pick<MachineMarks, 'markQuarantined'>;
  readonly autoScaling: Pick<AutoScaling, 'resumeReplacement'> &
    Pick<LifecycleHooks, 'completeHook'>;
  readonly events: PhaseEvents;
  readonly scope: Scope;
  readonly clock: Clock;
  readonly log: Log;
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

/** What is to be remembered of a host that was fenced and is still there to be started again. */
const quarantineOf = async (
  { clock, ledger }: CloseIncidentDeps,
  { facts, fence, handOff, id, instanceId, recovery }: Incident,
): Promise<Quarantine | undefined> => {
  const [, last] = fence?.proof ?? [];
  if (recovery === undefined || facts === undefined || last?.state !== 'stopped') return undefined;
  const volumes = await Promise.all(
    facts.volumes.map(async ({ volumeId }) => {
      const record = await ledger.ownership(volumeId);
      return { volumeId, epoch: record?.epoch ?? 0 };
    }),
  );
  return {
    instanceId,
    incidentId: id,
    launchTime: last.launchTime,
    since: clock.now(),
    ...(facts.privateIp === undefined ? {} : { privateIp: facts.privateIp }),
    agentIds: [...new Set([...facts.agentIds, ...(handOff?.agentIds ?? [])])],
    volumes,
  };
};

/** The tag is for people: what it says is in the ledger, and no incident stays open for want of it. */
const mark = async (deps: CloseIncidentDeps, incident: Incident): Promise<void> => {
  const { compute, log, scope } = deps;
  const { id: incidentId, instanceId } = incident;
  const failed = (error: unknown): void => {
    const problem = error instanceof Error ? error.message : 'unknown';
    log.warn('fenced machine not tagged', { incidentId, instanceId, problem });
  };
  const instance = await compute.instance(instanceId).catch(failed);
  if (!instance || isTaggedQuarantined(instance)) return;
  if (whyNotOurs(instance.tags, scope) !== undefined) return;
  for (const result of await makeCalls(deps, incident, 'CloseIncident', [
    markCall(deps, incident),
  ])) {
    if (result.kind === 'failed') failed(result.error);
  }
};

/** A fenced host is quarantined before its incident ends, so that no return of it goes unnoticed. */
const remember = async (deps: CloseIncidentDeps, incident: Incident): Promise<void> => {
  const quarantine = await quarantineOf(deps, incident);
  if (quarantine === undefined) return;
  await deps.ledger.saveQuarantine(incident.cluster, quarantine);
  await mark(deps, incident);
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

/**
 * Tells the end of an incident and takes it off the list. What the bus did not take leaves it listed:
 * the sweep tells it again.
 */
export const tellEnd = async (
  {
    events,
    ledger,
  }: Pick<CloseIncidentDeps, 'events'> & { ledger: Pick<IncidentLedger, 'unlist'> },
  closed: Incident & { readonly status: 'recovered' | 'cancelled' },
  at: EpochMs,
): Promise<void> => {
  if (await events.publish(closed.status, closed, at))
    await ledger.unlist(closed.cluster, closed.id);
};

/**
 * Ends the incident. Recovered only if VerifyRecovery saw it, or QuarantineAgent; otherwise it was
 * cancelled.
 */
export const createCloseIncident =
  (all: CloseIncidentDeps) =>
  async (input: StepInput): Promise<CloseDecision> => {
    const { clock, ledger } = all;
    const deps = { ...all, switches: {} };
    const incident = await loadToClose(ledger, input);
    const isDone = incident.recovery !== undefined || incident.quarantine !== undefined;
    const status = isDone ? 'recovered' : 'cancelled';
    const at = clock.now();
    const isOver = incident.closedAt !== undefined;
    // Over already: an earlier try did the aftercare and died before it could say so.
    const calls = isOver ? [] : aftercare(deps, incident);
    const hooks = !isOver && isEmpty(incident) ? letGo(deps.autoScaling, incident) : [];
    for (const result of await makeCalls(deps, incident, 'CloseIncident', calls)) answerOf(result);
    if (!isOver) await remember(deps, incident);
    for (const result of await makeCalls(deps, incident, 'CloseIncident', hooks)) answerOf(result);
    if (incident.drain !== undefined || incident.mode === 'drain') {
      await ledger.freeSlot(incident.cluster, incident.id);
    }
    const closed = await ledger.close(incident.id, incident.token, { status, hold: null }, at);
    // A cancelled incident that nobody was told about needs no end either.
    const told = incident.protection !== undefined || incident.hold !== undefined;
    if (status === 'recovered' || told) await tellEnd(deps, { ...closed, status }, at);
    else await ledger.unlist(closed.cluster, closed.id);
    return { kind: 'closed', status, summary: summarise(closed) };
  };
